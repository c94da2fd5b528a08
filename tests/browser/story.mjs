// A desk's story of 200 messages over chat, mail and Messenger, in four scripts, with hostile texts in it; and the
// configuration of the lanka that it is told to. Nobody in it exists.
import { writeFileSync } from 'node:fs';

const [place, port] = process.argv.slice(2);

writeFileSync(`${place}/lanka.toml`, `
data_dir = "${place}/data"

[http]
listen = "127.0.0.1:${port}"
public_url = "http://127.0.0.1:${port}"

[defaults]
languages = ["en"]
time_zone = "Europe/Helsinki"

[identity]
own_domains = ["kauppa.example"]
agents = ["*@kauppa.example"]

[matters]
order = { pattern = '\\b4\\d{7}\\b', role = "secret" }

[channels.shop-chat]
kind = "webchat"
secret = { env = "LANKA_WHSEC" }

[channels.support-mail]
kind = "maildir"
path = "${place}/mail"
addresses = ["asiakaspalvelu@kauppa.example"]
trusted_authserv = "mx.kauppa.example"

[channels.facebook]
kind = "messenger"
app_secret = { env = "LANKA_WHSEC" }
verify_token = { env = "LANKA_WHSEC" }

[channels.helpdesk]
kind = "desk"
secret = { env = "LANKA_WHSEC" }
`);

const said = [
    ['Hei! Tilaukseni 40012345 ei ole vielä tullut, vaikka sen piti olla perillä maanantaina.', 'Hello, is there any news of the parcel?', 'Kiitos, odotan vielä huomiseen.', 'The tracking page still says “in transit”.'],
    ['Добрий день! Моє замовлення досі не прийшло.', 'Коли можна очікувати на посилку?', 'Дякую за відповідь, чекатиму.', 'Підкажіть, будь ласка, номер відстеження.'],
    ['مرحبا، أين طلبي؟ لم يصل الطرد بعد.', 'هل يمكنني تغيير عنوان التسليم إلى 12 شارع النور؟', 'شكرا جزيلا على المساعدة.', 'متى يصل الطرد؟ (رقم 7)'],
    ['您好，我的订单还没有到。', '请问什么时候可以送到？', '谢谢您的帮助！', '包裹的追踪号码是多少？'],
];
const answers = ['Selvitämme asian kuljetusliikkeestä ja palaamme tänään.', 'Ми перевіряємо це у перевізника.', 'نحن نتحقق من الأمر مع شركة الشحن.', '我们正在与快递公司核实。'];
const hostile = [
    '<script>window.hit = 1</script><img src=x onerror="window.hit = 2"><svg onload="window.hit = 3"></svg>',
    '</div></article></li><iframe src="javascript:parent.hit = 4"></iframe><a href="javascript:window.hit = 5">click</a>',
    'The file was called \u202Egnp.exe\u202C, \u0007bell, and "quotes" & \'apostrophes\' &lt;b&gt;',
    `${'long'.repeat(400)} ${'word '.repeat(1200)}`,
];

const events = [];
let minute = 0;
const at = () => new Date(Date.UTC(2026, 2, 3, 7, minute++)).toISOString();
const deliver = (channel, raw, received_at) => events.push({ channel, received_at, encoding: 'utf-8', raw });

const visitor = { id: 'v-1', name: 'Noora Aalto', email: 'noora.aalto@posti.example' };
for (let n = 0; n < 100; n += 1) {
    const sent_at = at();
    const text = n % 25 === 12 ? hostile[Math.floor(n / 25)] : said[n % 4][Math.floor(n / 4) % 4];
    const event_id = `chat-${n}`;
    deliver('shop-chat', JSON.stringify({ event_id, type: 'message', conversation_id: 'c-1', visitor, text, sent_at }), sent_at);
    if (n % 2 === 1) {
        const replied_at = at();
        const type = n === 51 ? 'note' : 'reply';
        const on = { channel: 'shop-chat', source_key: event_id };
        deliver('helpdesk', JSON.stringify({ event_id: `desk-${n}`, type, on, text: answers[n % 4], at: replied_at }), replied_at);
    }
}
const mail = (n, from, subject, text, files = '') => {
    const date = at();
    const head = [
        `From: ${from}`, 'To: asiakaspalvelu@kauppa.example', `Message-ID: <m${n}@posti.example>`, `Date: ${new Date(date).toUTCString().replace('GMT', '+0000')}`,
        `Subject: ${subject}`, 'Authentication-Results: mx.kauppa.example; dmarc=pass header.from=posti.example',
        ...(n > 0 ? [`In-Reply-To: <m${n - 1}@posti.example>`, `References: <m0@posti.example>`] : []), 'MIME-Version: 1.0',
    ];
    const body = files
        ? ['Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', '', text, files, '--b--', '']
        : ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', '', text, ''];
    deliver('support-mail', [...head, ...body].join('\r\n'), date);
};
const file = (name, type, text) => ['--b', `Content-Type: ${type}; name="${name}"`, `Content-Disposition: attachment; filename="${name}"`, '', text].join('\r\n');
for (let n = 0; n < 50; n += 1) {
    const script = said[(n + 1) % 4];
    const files = n === 7 ? [file('receipt.pdf', 'application/pdf', 'PDF'), file('<b onclick=hit()>.html', 'text/html', '<script>1</script>')].join('\r\n') : '';
    const from = n === 9 ? '"<img src=x onerror=hit()> Noora Aalto" <noora.aalto@posti.example>' : 'Noora Aalto <noora.aalto@posti.example>';
    const subject = n === 9 ? 'Re: <script>window.hit = 6</script>' : `${n > 0 ? 'Re: ' : ''}Tilaus 40012345 puuttuu`;
    mail(n, from, subject, `${script[n % 4]}\r\n\r\nTilausnumero 40012345.\r\n\r\nNoora Aalto`, files);
}
// Somebody names the order on Messenger: it may be she.
const facebook_at = at();
const time = Date.parse(facebook_at);
const message = { mid: 'fb-1', text: 'Tilaus 40012345 puuttuu yhä. مرحبا' };
const messaging = [{ sender: { id: 'PSID-1' }, recipient: { id: 'PAGE' }, timestamp: time, message }];
deliver('facebook', JSON.stringify({ object: 'page', entry: [{ id: 'PAGE', time, messaging }] }), facebook_at);

writeFileSync(`${place}/events.jsonl`, `${events.map(event => JSON.stringify(event)).join('\n')}\n`);
