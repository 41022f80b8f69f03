using FhirIomt.Fhir.Definitions;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Sqlite;

/// <summary>The tables, as numbered scripts that run once each in order (docs/architecture.md tells what they are for).</summary>
internal static class SqliteSchema
{
    private static readonly string[] Scripts =
    [
        """
        CREATE TABLE clock(one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, generation INTEGER NOT NULL);
        INSERT INTO clock VALUES (1, 0, 1);

        -- key: type and time of this version (ResourceKey), so that a type and a span of _lastUpdated are key ranges.
        -- subject: whom it is about (entity), null for nobody: access checks ask it.
        -- codes, start, stop: of an Observation, its set of codings and its effective time; so they need no index rows of their own.
        CREATE TABLE resource(
            key INTEGER PRIMARY KEY, type INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL,
            subject INTEGER, codes INTEGER, start INTEGER, stop INTEGER, body BLOB NOT NULL);
        CREATE UNIQUE INDEX resource_id ON resource(type, id);
        CREATE TABLE resource_history(
            type INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, key INTEGER NOT NULL, deleted INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE UNIQUE INDEX resource_history_id ON resource_history(type, id, version);

        -- Dictionaries.
        CREATE TABLE resource_type(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE parameter(id INTEGER PRIMARY KEY, type INTEGER NOT NULL, code TEXT NOT NULL, UNIQUE(type, code));
        CREATE TABLE system(id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE);
        CREATE TABLE concept(id INTEGER PRIMARY KEY, code TEXT NOT NULL, system INTEGER NOT NULL, UNIQUE(code, system));
        CREATE TABLE entity(id INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(name, type));

        -- A set of codings as Observation.code has them: few sets, each in very many Observations.
        CREATE TABLE code_set(id INTEGER PRIMARY KEY, concepts TEXT NOT NULL UNIQUE);
        CREATE TABLE code_set_concept(concept INTEGER, code_set INTEGER, PRIMARY KEY(concept, code_set)) WITHOUT ROWID;

        -- Search index: the key comes last, so that one value streams in time order and a probe for one resource is a point.
        CREATE TABLE token_index(parameter INTEGER, concept INTEGER, key INTEGER, PRIMARY KEY(parameter, concept, key)) WITHOUT ROWID;
        CREATE TABLE identifier_index(parameter INTEGER, value TEXT, key INTEGER, system INTEGER, PRIMARY KEY(parameter, value, key, system)) WITHOUT ROWID;
        CREATE TABLE string_index(parameter INTEGER, folded TEXT, key INTEGER, value TEXT, PRIMARY KEY(parameter, folded, key, value)) WITHOUT ROWID;
        CREATE TABLE date_index(parameter INTEGER, start INTEGER, stop INTEGER, key INTEGER, PRIMARY KEY(parameter, start, stop, key)) WITHOUT ROWID;
        CREATE TABLE reference_index(parameter INTEGER, target INTEGER, key INTEGER, PRIMARY KEY(parameter, target, key)) WITHOUT ROWID;
        CREATE TABLE uri_index(parameter INTEGER, value TEXT, key INTEGER, PRIMARY KEY(parameter, value, key)) WITHOUT ROWID;

        -- Observations by subject, set of codings and time: one row each. Devices of many patients write all over this tree, and every touched page
        -- goes to the log, so a row for each coding would cost four times the write volume.
        CREATE TABLE timeline(subject INTEGER, codes INTEGER, start INTEGER, key INTEGER, PRIMARY KEY(subject, codes, start, key)) WITHOUT ROWID;

        CREATE TABLE record(kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, expires INTEGER, PRIMARY KEY(kind, id));
        CREATE INDEX record_expires ON record(expires) WHERE expires IS NOT NULL;
        """,
        """
        CREATE INDEX resource_history_key ON resource_history(key);
        """,
        """
        DROP TABLE code_set;
        DROP TABLE code_set_concept;
        DROP TABLE token_index;
        DROP TABLE identifier_index;
        DROP TABLE string_index;
        DROP TABLE date_index;
        DROP TABLE reference_index;
        DROP TABLE uri_index;
        DROP TABLE timeline;

        -- Work that goes on over several transactions, and the last key it has done.
        CREATE TABLE progress(name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;

        -- The system whose codes are the texts of concepts.
        INSERT OR IGNORE INTO system(uri) VALUES (char(1) || 'text');
        CREATE TABLE unit(id INTEGER PRIMARY KEY, code TEXT NOT NULL, text TEXT NOT NULL, system INTEGER NOT NULL, UNIQUE(code, text, system));

        -- A set of codes as Observations have them (Facets): few sets, each in very many Observations.
        CREATE TABLE code_set(id INTEGER PRIMARY KEY, members TEXT NOT NULL UNIQUE);
        CREATE TABLE code_set_concept(parameter INTEGER, concept INTEGER, code_set INTEGER, PRIMARY KEY(parameter, concept, code_set)) WITHOUT ROWID;

        -- Search index: the key comes last, so that one value streams in time order and a probe for one resource is a point.
        CREATE TABLE token_index(parameter INTEGER, concept INTEGER, key INTEGER, PRIMARY KEY(parameter, concept, key)) WITHOUT ROWID;
        CREATE TABLE identifier_index(parameter INTEGER, value TEXT, key INTEGER, system INTEGER, PRIMARY KEY(parameter, value, key, system)) WITHOUT ROWID;
        CREATE TABLE string_index(parameter INTEGER, folded TEXT, key INTEGER, value TEXT, PRIMARY KEY(parameter, folded, key, value)) WITHOUT ROWID;
        CREATE TABLE date_index(parameter INTEGER, start INTEGER, stop INTEGER, key INTEGER, PRIMARY KEY(parameter, start, stop, key)) WITHOUT ROWID;
        CREATE TABLE number_index(parameter INTEGER, low REAL, high REAL, key INTEGER, PRIMARY KEY(parameter, low, high, key)) WITHOUT ROWID;
        -- codes: the set of the codes of the component that the quantity is of, or 0.
        CREATE TABLE quantity_index(
            parameter INTEGER, unit INTEGER, low REAL, high REAL, codes INTEGER, key INTEGER, PRIMARY KEY(parameter, unit, low, high, codes, key)) WITHOUT ROWID;
        CREATE TABLE reference_index(parameter INTEGER, target INTEGER, key INTEGER, PRIMARY KEY(parameter, target, key)) WITHOUT ROWID;
        CREATE TABLE uri_index(parameter INTEGER, value TEXT, key INTEGER, PRIMARY KEY(parameter, value, key)) WITHOUT ROWID;

        -- Sorting asks for the value of a key. Keys ascend, so these grow at their end only.
        CREATE INDEX string_index_key ON string_index(key, parameter);
        CREATE INDEX date_index_key ON date_index(key, parameter);
        CREATE INDEX number_index_key ON number_index(key, parameter);
        CREATE INDEX quantity_index_key ON quantity_index(key, parameter);

        -- Composites: one row for each value of each component of each repetition.
        CREATE TABLE component_index(
            key INTEGER, parameter INTEGER, repetition INTEGER, component INTEGER, item INTEGER,
            concept INTEGER, value TEXT, system INTEGER, low REAL, high REAL, unit INTEGER, target INTEGER,
            PRIMARY KEY(key, parameter, repetition, component, item)) WITHOUT ROWID;
        CREATE INDEX component_index_concept ON component_index(parameter, component, concept, key, repetition) WHERE concept IS NOT NULL;
        CREATE INDEX component_index_value ON component_index(parameter, component, value, key, repetition) WHERE value IS NOT NULL;
        CREATE INDEX component_index_low ON component_index(parameter, component, low, key, repetition) WHERE low IS NOT NULL;
        CREATE INDEX component_index_target ON component_index(parameter, component, target, key, repetition) WHERE target IS NOT NULL;

        -- Observations by subject, set of codes and time: one row each. Devices of many patients write all over this tree, and every touched page
        -- goes to the log, so a row for each code would cost four times the write volume.
        CREATE TABLE timeline(subject INTEGER, codes INTEGER, start INTEGER, key INTEGER, PRIMARY KEY(subject, codes, start, key)) WITHOUT ROWID;

        -- SearchText, by the resource's key. It keeps its text: without it a row could only be taken away by giving the same words again.
        CREATE VIRTUAL TABLE full_text USING fts5(narrative, content, tokenize = "unicode61 remove_diacritics 0");

        -- Everything that is stored goes into the new tables.
        INSERT INTO progress(name, position) SELECT 'index', 0 WHERE EXISTS(SELECT 1 FROM resource);
        """,
        """
        ALTER TABLE clock ADD COLUMN catalog INTEGER NOT NULL DEFAULT 1;
        """,
        """
        -- Who did what (AuditChain). The key is the tick of the clock: lines only come at the end, in the order of time.
        CREATE TABLE audit(key INTEGER PRIMARY KEY, body BLOB NOT NULL);
        CREATE TABLE audit_patient(patient TEXT, key INTEGER, PRIMARY KEY(patient, key)) WITHOUT ROWID;

        -- One row for each commit that brought lines. One of size 0 stands for everything before it that was taken away when its time was over.
        CREATE TABLE audit_batch(last INTEGER PRIMARY KEY, first INTEGER NOT NULL, size INTEGER NOT NULL, hash BLOB NOT NULL);
        ALTER TABLE clock ADD COLUMN chain BLOB NOT NULL DEFAULT x'';
        """,
        """
        -- From here on a row of the audit may hold many lines (AuditPack): builds that know nothing of it must not open the store.
        UPDATE clock SET generation=generation;
        """,
        """
        -- Observations that last longer than a day (in ticks), as the timeline has them: searches for an end look at these one by one (TimeWindow).
        CREATE INDEX resource_long ON resource(coalesce(subject, 0), codes, start) WHERE stop-start>864000000000;
        CREATE VIEW long_timeline AS SELECT key, coalesce(subject, 0) AS subject, codes, start, stop FROM resource WHERE stop-start>864000000000;
        """,
        """
        -- Of a patient's lines those that tell what readings became, for themselves: their Provenance is found without everybody who ever looked (docs/adr/0025).
        -- What was written before may tell of readings, and is looked at.
        ALTER TABLE audit_patient RENAME TO audit_patient_before;
        CREATE TABLE audit_patient(patient TEXT, readings INTEGER, key INTEGER, PRIMARY KEY(patient, readings, key)) WITHOUT ROWID;
        INSERT INTO audit_patient SELECT patient, 1, key FROM audit_patient_before;
        DROP TABLE audit_patient_before;
        """,
        """
        -- Rows of the audit are filed under their patients later and many at a time (AuditFiling, AuditKeys); all that are there are filed.
        ALTER TABLE audit_patient RENAME COLUMN key TO last;
        ALTER TABLE audit_patient ADD COLUMN earlier BLOB NOT NULL DEFAULT x'';
        ALTER TABLE clock ADD COLUMN audit_filed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE clock ADD COLUMN audit_target INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE clock ADD COLUMN audit_after TEXT NOT NULL DEFAULT '';
        UPDATE clock SET audit_filed=last;
        """,
        """
        -- Extraction finds more, and some of it otherwise (texts of codings without codes, the outer limits of a Timing): everything is indexed anew.
        DELETE FROM token_index;
        DELETE FROM identifier_index;
        DELETE FROM string_index;
        DELETE FROM date_index;
        DELETE FROM number_index;
        DELETE FROM quantity_index;
        DELETE FROM reference_index;
        DELETE FROM uri_index;
        DELETE FROM component_index;
        DELETE FROM timeline;
        DELETE FROM record WHERE kind='search-index';
        INSERT OR REPLACE INTO progress(name, position) SELECT 'index', 0 WHERE EXISTS(SELECT 1 FROM resource);
        """,
    ];

    public static int Current => Scripts.Length;

    public static int VersionOf(SqliteConnection connection) => (int)connection.Scalar("PRAGMA user_version");

    /// <summary>Brings a new or older store to the current version; the caller holds the store's lock.</summary>
    public static void Migrate(SqliteConnection connection, FhirDefinitions definitions)
    {
        var version = VersionOf(connection);
        if (version > Current)
        {
            throw new StoreUnusableException($"The store has schema {version}; this build knows {Current}. Run the newer build.");
        }

        MigrateTo(connection, definitions, Current);
    }

    /// <summary>As <see cref="Migrate"/>, up to a version: tests make older stores by it.</summary>
    internal static void MigrateTo(SqliteConnection connection, FhirDefinitions definitions, int version)
    {
        for (var next = VersionOf(connection); next < version; next++)
        {
            connection.Execute("BEGIN IMMEDIATE");
            connection.Execute(Scripts[next]);
            if (next == 0)
            {
                AddResourceTypes(connection, definitions);
            }

            connection.Execute($"PRAGMA user_version={next + 1}");
            connection.Execute("COMMIT");
        }
    }

    private static void AddResourceTypes(SqliteConnection connection, FhirDefinitions definitions)
    {
        foreach (var type in definitions.ResourceTypes)
        {
            connection.Prepare("INSERT INTO resource_type(name) VALUES (?)").Add(type).Done();
        }
    }
}
