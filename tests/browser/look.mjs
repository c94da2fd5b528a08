// Looks at the page of a thread with headless Chromium, and says what it found. Ends with 1 when anything is not as it
// must be.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [url, metrics, pictures] = process.argv.slice(2);
const modules = process.env.MODULES;
const require = createRequire(join(modules, 'x.js'));
const { default: puppeteer } = await import(require.resolve('puppeteer-core'));
const axe = readFileSync(join(modules, 'axe-core', 'axe.min.js'), 'utf8');

/** Longest time to the last paint of a thread of 200 messages, in milliseconds. */
const RENDER_MS_MAX = 1000;
/** Loads that are measured. */
const LOADS = 11;
/** Largest picture, in bytes. */
const PICTURE_BYTES_MAX = 200 * 1024;

let failed = 0;
const hold = (what, is, detail = '') => {
    console.log(`${is ? 'good' : 'BAD '}  ${what}${detail === '' ? '' : `: ${detail}`}`);
    if (!is) failed += 1;
};

const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu', '--lang=en'] });
const asked = [];
const open = async (viewport, javascript = true) => {
    const page = await browser.newPage();
    await page.setCacheEnabled(false);
    await page.setJavaScriptEnabled(javascript);
    await page.setViewport(viewport);
    page.on('request', request => asked.push(request.url()));
    page.on('dialog', dialog => { hold('no dialog opens', false, dialog.message()); dialog.dismiss(); });
    await page.goto(url, { waitUntil: 'load' });
    return page;
};
const desktop = { width: 1000, height: 1250 };
const phone = { width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// How long it takes.
const times = [];
for (let n = 0; n < LOADS; n += 1) {
    const page = await open(desktop);
    times.push(await page.evaluate(() => {
        const navigation = performance.getEntriesByType('navigation')[0];
        const paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
        return { ms: Math.max(navigation.loadEventEnd, paint), bytes: navigation.decodedBodySize, answered: navigation.responseEnd - navigation.requestStart };
    }));
    await page.close();
}
const sorted = times.map(time => time.ms).sort((a, b) => a - b);
const middle = list => list[Math.floor(list.length / 2)];
hold('it is rendered in time', sorted.at(-1) < RENDER_MS_MAX,
    `median ${middle(sorted).toFixed(0)} ms, slowest ${sorted.at(-1).toFixed(0)} ms of ${LOADS}; ${(times[0].bytes / 1000).toFixed(0)} kB`);
const exposed = await (await fetch(metrics)).text();
const number = name => Number(exposed.split('\n').find(line => line.startsWith(`${name}{`) && line.includes('GET /threads/{ticket}"'))?.split(' ').at(-1));
console.log(`      the daemon takes ${(1000 * number('lanka_page_seconds_sum') / number('lanka_page_seconds_count')).toFixed(0)} ms of that`);

// What is on it.
const page = await open(desktop);
const seen = await page.evaluate(() => ({
    articles: document.querySelectorAll('article').length,
    hit: window.hit,
    odd: [...document.querySelectorAll('script, img, svg, iframe, object, embed, link, [onclick], [onload], [onerror]')].map(element => element.outerHTML),
    hrefs: [...document.querySelectorAll('[href], [action]')].map(element => element.getAttribute('href') ?? element.getAttribute('action')),
    text: document.body.innerText,
    arabic: [...document.querySelectorAll('.text')].filter(text => /^[\u0600-\u06ff]/.test(text.textContent)).map(text => getComputedStyle(text).direction),
}));
hold('200 messages are shown', seen.articles === 200, seen.articles);
hold('all four scripts', [/Tilaukseni/, /замовлення/, /مرحبا/, /订单/].every(script => script.test(seen.text)));
hold('Arabic runs from right to left', seen.arabic.length > 0 && seen.arabic.every(direction => direction === 'rtl'), `${seen.arabic.length} texts`);
hold('hostile HTML is text', seen.text.includes('<script>window.hit = 1</script>') && seen.text.includes('<iframe src="javascript:'));
hold('no script ran', seen.hit === undefined);
hold('no element was made of it', seen.odd.length === 0, seen.odd.join(' '));
hold('no link leads elsewhere', seen.hrefs.every(href => !/:/.test(href)), seen.hrefs.length);
hold('nothing else is loaded', asked.every(address => address === url || address.endsWith('/favicon.ico')), [...new Set(asked)].length);

// Whether everybody can use it.
for (const [name, viewport] of [['desktop', desktop], ['phone', phone]]) {
    for (const scheme of ['light', 'dark']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        await page.setViewport(viewport);
        await page.goto(url, { waitUntil: 'load' });
        await page.evaluate(axe);
        const { violations, passes } = await page.evaluate(() => axe.run());
        hold(`axe-core finds nothing (${name}, ${scheme})`, violations.length === 0,
            violations.length === 0 ? `${passes.length} rules hold` : violations.map(found => `${found.id}: ${found.nodes.slice(0, 3).map(node => node.html).join(' ')}`).join('; '));
    }
}
await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
for (const width of [320, 360, 768]) {
    await page.setViewport({ ...phone, width });
    await page.goto(url, { waitUntil: 'load' });
    const scroll = await page.evaluate(() => document.documentElement.scrollWidth);
    hold(`nothing scrolls sideways at ${width} px`, scroll <= width, scroll);
}

// What README shows.
for (const [name, viewport] of [['desktop', desktop], ['phone', { ...phone, deviceScaleFactor: 1.5 }]]) {
    await page.setViewport(viewport);
    await page.goto(url, { waitUntil: 'load' });
    if (name === 'phone') await page.evaluate(() => document.querySelectorAll('ol > li')[2].scrollIntoView());
    const picture = await page.screenshot({ type: 'png', captureBeyondViewport: false });
    writeFileSync(join(pictures, `thread-${name}.png`), picture);
    hold(`the picture of the ${name} is small`, picture.length <= PICTURE_BYTES_MAX, `${(picture.length / 1024).toFixed(0)} KiB`);
}
await page.close();

// Without JavaScript.
const plain = await open(phone, false);
hold('a suggestion waits', await plain.$('button[value=accept]') !== null);
await Promise.all([plain.waitForNavigation({ waitUntil: 'load' }), plain.click('button[value=accept]')]);
const status = await plain.$eval('[role=status]', element => element.textContent).catch(() => '');
hold('Accept works without JavaScript', status.startsWith('Accepted'), status);
await browser.close();
process.exit(failed === 0 ? 0 : 1);
