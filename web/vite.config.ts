import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const SERVER = 'http://127.0.0.1:8080';

/** What the scripts of the page may weigh together, gzipped. */
const SCRIPT_BUDGET_BYTES = 20_000;

/** Writes a .gz and a .br beside every text file, so that the server never compresses, and holds the page to its budget. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      let scriptBytes = 0;
      for (const [fileName, file] of Object.entries(bundle)) {
        if (!/\.(html|js|css|svg)$/.test(fileName)) continue;
        const text = Buffer.from(file.type === 'chunk' ? file.code : file.source);
        const gzip = gzipSync(text, { level: constants.Z_BEST_COMPRESSION });
        const brotli = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
        this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzip });
        this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotli });
        if (file.type === 'chunk') scriptBytes += gzip.length;
      }
      if (scriptBytes > SCRIPT_BUDGET_BYTES) {
        this.error(`the scripts weigh ${scriptBytes} bytes gzipped, the budget is ${SCRIPT_BUDGET_BYTES}`);
      }
    },
  };
}

export default defineConfig({
  plugins: [precompress()],
  build: {
    // Inlined assets are data: URLs, which the content security policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/v1': { target: SERVER, ws: true },
      '/metrics': SERVER,
    },
  },
});
