// Prints the JWK Set of a private key file, as 'fhiriomt client add --jwks' takes it:  node tools/try/jwks.mjs KEY.pem
import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';

const key = createPublicKey(fs.readFileSync(process.argv[2])).export({ format: 'jwk' });
console.log(JSON.stringify({ keys: [{ ...key, kid: 'k1', use: 'sig', alg: key.kty === 'EC' ? 'ES384' : 'RS384' }] }));
