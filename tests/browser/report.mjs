// Opens a report in headless Chromium, and prints it. Ends with 1 when anything is not as it must be.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { inflateSync } from 'node:zlib';

const [file, numbers, pdf] = process.argv.slice(2);
const modules = process.env.MODULES;
const require = createRequire(join(modules, 'x.js'));
const { default: puppeteer } = await import(require.resolve('puppeteer-core'));
const axe = readFileSync(join(modules, 'axe-core', 'axe.min.js'), 'utf8');
const report = JSON.parse(readFileSync(numbers, 'utf8'));

let failed = 0;
const hold = (what, is, detail = '') => {
    console.log(`${is ? 'good' : 'BAD '}  ${what}${detail === '' ? '' : `: ${detail}`}`);
    if (!is) failed += 1;
};

const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu', '--lang=en'] });
const page = await browser.newPage();
const asked = [];
page.on('request', request => asked.push(request.url()));
page.on('dialog', dialog => { hold('no dialog opens', false, dialog.message()); dialog.dismiss(); });
const complaints = [];
page.on('console', message => complaints.push(message.text()));
await page.setViewport({ width: 1000, height: 1250 });
await page.goto(`file://${resolve(file)}`, { waitUntil: 'load' });
hold('the report asks for nothing but itself', asked.length === 1, asked.slice(1).join(' '));
hold('the browser complains of nothing', complaints.length === 0, complaints.join('; '));

const shown = await page.evaluate(() => {
    const rows = name => [...document.querySelectorAll('section')].filter(of => of.querySelector('h2')?.textContent === name)
        .flatMap(of => [...of.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.textContent)));
    return { figures: [...document.querySelectorAll('dd')].map(of => parseInt(of.textContent, 10)), kinds: rows('Lajeittain'), promises: rows('Ajat lupauksiin nähden'),
        breaches: rows('Rikotut lupaukset').length, plots: document.querySelectorAll('svg').length,
        outside: [...document.querySelectorAll('svg text, svg rect')].filter(of => { const own = of.getBoundingClientRect(), all = of.ownerSVGElement.getBoundingClientRect();
            return own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 || own.bottom > all.bottom + 1; }).length,
        wide: document.documentElement.scrollWidth > innerWidth };
});
hold('tickets, closed and open are those of the JSON', shown.figures[0] === report.tickets && shown.figures[1] === report.closed
    && shown.figures[2] === report.tickets - report.closed, shown.figures.slice(0, 3).join(' '));
hold('kinds are those of the JSON', JSON.stringify(shown.kinds.map(row => parseInt(row[1], 10))) === JSON.stringify(report.kinds.map(of => of.tickets)));
hold('promises are those of the JSON', JSON.stringify(shown.promises.map(row => row.slice(1, 6).map(Number)))
    === JSON.stringify(report.promises.map(of => [of.made, of.met, of.breached, of.running, of.paused])));
hold('each broken promise has a row', shown.breaches === report.breaches.length, `${shown.breaches}`);
hold('three plots, nothing of them outside', shown.plots === 3 && shown.outside === 0, `${shown.outside} outside`);

await page.evaluate(axe);
const { violations } = await page.evaluate(() => window.axe.run());
hold('axe-core finds nothing', violations.length === 0, violations.map(of => `${of.id} (${of.nodes.length})`).join(', '));
await page.setViewport({ width: 360, height: 740 });
const cramped = await page.evaluate(() => document.querySelector('h1').scrollWidth > document.querySelector('h1').clientWidth);
hold('the heading fits a telephone', !cramped);

await page.pdf({ path: pdf, preferCSSPageSize: true });
const bytes = readFileSync(pdf);
const text = bytes.toString('latin1');
const sheets = (text.match(/\/Type\s*\/Page[^s]/g) ?? []).length;
const box = /\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)/.exec(text);
const isA4 = box !== null && Math.abs(box[1] - 595) < 2 && Math.abs(box[2] - 842) < 2;
hold('it prints on A4', sheets > 0 && isA4, `${sheets} pages, ${Math.round(bytes.length / 1024)} KiB`);
// The plots are drawn: their fills are in the pages' own instructions.
let drawn = '';
for (const found of text.matchAll(/stream\r?\n/g)) {
    try { drawn += inflateSync(bytes.subarray(found.index + found[0].length), { finishFlush: 2 }).toString('latin1'); } catch { /* a picture, a font */ }
}
hold('the plots are printed in colour', /0?\.1216\d* 0?\.3059\d* 0?\.5294\d* rg/.test(drawn) || /0?\.6157\d* 0?\.7176\d* 0?\.8353\d* rg/.test(drawn));
await browser.close();
process.exit(failed === 0 ? 0 : 1);
