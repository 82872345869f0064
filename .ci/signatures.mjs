// Verifies mails with mailauth: signatures.mjs MODULES ZONE.json FILE … prints one JSON object,
// file → for each signature "algorithm result". ZONE has the records that DNS would have.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [modules, zoneFile, ...files] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'node_modules', 'x.js'));
const { dkimVerify } = require('mailauth/lib/dkim/verify');
const zone = JSON.parse(readFileSync(zoneFile, 'utf8'));

async function resolver(name, type) {
    if (type === 'TXT' && zone[name]) {
        return [zone[name]];
    }
    throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
}

const told = {};
for (const file of files) {
    const { results } = await dkimVerify(readFileSync(file), { resolver });
    told[file] = results.map(({ algo, status }) => `${algo} ${status.result}`);
}
console.log(JSON.stringify(told));
