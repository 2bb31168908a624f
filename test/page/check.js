// check.js: looks at the status page as people do: with a browser, in light and
// dark, on a telephone and on a desk; see build/check-page.
//
//   node check.js URL NAME OUT MODULES CHROMIUM
//
// Saves a picture of each page under OUT. Complains, and ends with status 1,
// where axe-core finds something, something is wider than the window, the
// browser had to refuse something, or the style sheet was not taken.
'use strict';
const fs = require('fs');
const path = require('path');

const [url, name, out, modules, chromium] = process.argv.slice(2);
const puppeteer = require(path.join(modules, 'puppeteer-core'));
const axe = fs.readFileSync(path.join(modules, 'axe-core', 'axe.min.js'), 'utf8');

const widths = [360, 1024];
const widthsOfList = [320, 360, 1024, 1600];
const schemes = ['light', 'dark'];
let complaints = 0;

function complain(where, what) {
    complaints++;
    console.log(`check-page: ${where}: ${what}`);
}

// The list, an empty one, and a certificate of each kind.
async function pagesOf(browser) {
    const pages = { list: url, none: `${url}?q=no+such+name` };
    const page = await browser.newPage();
    await page.goto(`${url}?format=json`);
    const report = JSON.parse(await page.evaluate(() => document.body.innerText));
    for (const row of report.certificates)
        pages[row.safeUntil ? `${row.state}-served` : row.state] ??= `${url}?cert=${row.fingerprint}`;
    await page.close();
    return pages;
}

async function checkLayout(page, where) {
    const wide = await page.evaluate(() => [...document.querySelectorAll('body *')]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'absolute')
        .map((e) => e.outerHTML.slice(0, 80)));
    if (wide.length)
        complain(where, `wider than the window: ${wide[0]}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth))
        complain(where, 'scrolls sideways');
    if (await page.evaluate(() => getComputedStyle(document.querySelector('.verdict')).display !== 'flex'))
        complain(where, 'the style sheet was not taken');
}

async function checkAxe(page, where) {
    await page.evaluate(axe);
    const result = await page.evaluate(() => axe.run(document, { resultTypes: ['violations', 'incomplete'] }));
    for (const found of [...result.violations, ...result.incomplete])
        for (const node of found.nodes)
            complain(where, `${found.id}: ${node.html.slice(0, 120)}: ${node.any.concat(node.all, node.none).map((c) => c.message).join('; ')}`);
    return result.passes.length;
}

// The first thing that Tab leads to is the way past the header, and it is seen.
async function checkKeyboard(page, where) {
    await page.keyboard.press('Tab');
    const top = await page.evaluate(() => {
        const e = document.activeElement;
        return e.classList.contains('skip') ? e.getBoundingClientRect().top : -1;
    });
    if (top < 0)
        complain(where, 'no way past the header by keyboard');
}

async function look(browser, address, label, width, scheme) {
    const where = `${name} ${label} ${width} ${scheme}`;
    const page = await browser.newPage();
    page.on('console', (message) => complain(where, message.text()));
    page.on('pageerror', (error) => complain(where, error.message));
    page.on('request', (request) => {
        if (request.url() !== address)
            complain(where, `asks for ${request.url()}`);
    });
    await page.setViewport({ width, height: 900, deviceScaleFactor: width < 500 ? 2 : 1 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    const response = await page.goto(address);
    if (response.status() !== 200)
        complain(where, `status ${response.status()}`);
    await page.screenshot({ path: path.join(out, `${name}-${label}-${width}-${scheme}.png`), fullPage: true });
    await checkLayout(page, where);
    await page.evaluate(() => document.querySelectorAll('details').forEach((e) => { e.open = true; }));
    const passes = await checkAxe(page, where);
    await checkKeyboard(page, where);
    await page.close();
    return passes;
}

async function main() {
    const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
    const browser = await (puppeteer.default || puppeteer).launch({ executablePath: chromium, args });
    try {
        let looks = 0;
        let passes = 0;
        for (const [label, address] of Object.entries(await pagesOf(browser)))
            for (const width of label === 'list' ? widthsOfList : widths)
                for (const scheme of schemes) {
                    passes += await look(browser, address, label, width, scheme);
                    looks++;
                }
        console.log(`check-page: ${name}: ${looks} looks, ${passes} rules of axe passed, ${complaints} complaints`);
    } finally {
        await browser.close();
    }
}

main().then(() => process.exit(complaints ? 1 : 0), (error) => {
    console.error(error);
    process.exit(1);
});
