import { resolve } from "node:path";
import { defineConfig } from "vite";

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
        vitals: resolve(import.meta.dirname, "vitals/index.html"),
        launch: resolve(import.meta.dirname, "vitals/launch.html"),
      },
    },
  },
});
