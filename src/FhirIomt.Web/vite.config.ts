import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const page = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// One folder for each app; the server hands out dist/ as it is, under /apps.
export default defineConfig({
  base: "./",
  root: ".",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    modulePreload: false,
    // The server's policy for apps allows no inline script and no data: script.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: {
        vitals: page("vitals/index.html"),
        launch: page("vitals/launch.html"),
      },
    },
  },
});
