// Fails if a dependency's licence is not one of those that the project takes.
// Crates: everything in the lock file, by `cargo metadata`. Packages of the page: everything in its lock file.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ALLOWED = new Set([
  'MIT', 'MIT-0', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'ISC', 'Zlib', 'Unicode-3.0',
]);

/** Used while the page is built; nothing of it is in what is built. */
const BUILD_ONLY = { 'MPL-2.0': /^lightningcss(-|$)/ };

/** Whether an SPDX expression can be met: AND binds tighter than OR, parentheses tightest. */
function isMet(expression) {
  // Before SPDX 2.0 a slash stood for OR.
  let rest = expression.replaceAll(/\s*\/\s*/g, ' OR ');
  for (let inner; (inner = rest.match(/\(([^()]*)\)/)); ) rest = rest.replace(inner[0], isMet(inner[1]) ? 'MIT' : 'none');
  return rest.split(' OR ').some((option) => option.split(' AND ').every((licence) => ALLOWED.has(licence.trim())));
}

const isFine = ({ name, licence }) => licence !== null && (isMet(licence) || BUILD_ONLY[licence]?.test(name));

const metadata = execFileSync('cargo', ['metadata', '--format-version', '1', '--locked'], { maxBuffer: 1 << 28 });
const crates = JSON.parse(metadata).packages.map(({ name, license }) => ({ name, licence: license }));
const lock = JSON.parse(readFileSync(new URL('../web/package-lock.json', import.meta.url), 'utf8'));
const packages = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, { license }]) => ({ name: path.replace(/^.*node_modules\//, ''), licence: license ?? null }));

const refused = [...crates, ...packages].filter((dependency) => !isFine(dependency));
for (const { name, licence } of refused) console.error(`${name}: ${licence ?? 'no licence'}`);
console.log(`licences: ${crates.length} crates, ${packages.length} packages, ${refused.length} refused`);
process.exit(refused.length === 0 ? 0 : 1);
