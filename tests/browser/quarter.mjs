// Writes a configuration and a made-up quarter of a desk: customers of nine firms, what they say, and what the desk does.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [place] = process.argv.slice(2);
const said = [
    ['Kuittitulostin jumissa', 'Kassan kuittitulostin ei toimi, emme pysty myymään mitään. Apua pian!'],
    ['Kuittitulostin taas', 'Kuittitulostin on taas rikki ja jumittaa.'],
    ['Tarjouspyyntö', 'Pyytäisin tarjouksen kahdesta uudesta päätteestä, kiitos.'],
    ['Palaute', 'Olen todella pettynyt palveluunne, tämä oli surkea kokemus.'],
    ['<img src=x onerror=alert(1)>', '<script>alert(2)</script> Voisitteko lähettää hinnaston?'],
    ['Kiitos', 'Kiitos todella hyvästä palvelusta, olette mahtavia!'],
    ['עזרה בבקשה', 'Kassa ei aukea, mitä teen? 请帮忙'],
];
let seed = 11;
const below = end => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 65536) % end; };
const events = [];
const tell = (channel, at, raw) => events.push({ at, line: JSON.stringify({ channel, received_at: new Date(at).toISOString(), encoding: 'utf-8', raw }) });
const HOUR = 3600 * 1000;
for (let n = 0; n < 400; n++) {
    const at = Date.parse('2026-06-20T05:00:00Z') + Math.floor(n * 102 * 24 / 400) * HOUR + below(600) * 60000;
    const [subject, text] = said[below(said.length)];
    const domain = `firma${below(9)}.example`, id = `m${n}@${domain}`, date = new Date(at).toUTCString().replace('GMT', '+0000');
    tell('mail', at, [`Received: from a (a [192.0.2.1]) by mx.kauppa.example; ${date}`, `Authentication-Results: mx.kauppa.example; dmarc=pass header.from=${domain}`,
        `From: Asiakas ${n} <a${n}@${domain}>`, 'To: asiakaspalvelu@kauppa.example', `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`, `Date: ${date}`,
        `Message-ID: <${id}>`, 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', '', text, ''].join('\r\n'));
    const act = (type, when, more) => tell('agents', when, JSON.stringify({ event_id: `${type}${n}`, type, on: { channel: 'mail', source_key: id }, at: new Date(when).toISOString(), ...more }));
    const answered = at + (3 + below(1500)) * 60000;
    if (below(10) > 0) act('reply', answered, { text: 'Hoidamme.' });
    if (below(10) > 2) act('close', answered + below(100) * HOUR, {});
}
events.sort((a, b) => a.at - b.at);
writeFileSync(join(place, 'events.jsonl'), `${events.map(event => event.line).join('\n')}\n`);
writeFileSync(join(place, 'lanka.toml'), `data_dir = "${place}/data"
[defaults]
time_zone = "Europe/Helsinki"
languages = ["fi"]
[identity]
own_domains = ["kauppa.example"]
[channels.mail]
kind = "maildir"
path = "${place}/mail"
addresses = ["asiakaspalvelu@kauppa.example"]
trusted_authserv = "mx.kauppa.example"
[channels.agents]
kind = "desk"
secret = { env = "LANKA_WHSEC" }
`);
for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(place, 'mail', part), { recursive: true });
chmodSync(place, 0o711);
