//! A month of a help desk's contacts, made up: what the search for outages is measured on.
//!
//! Bursts that are none are in it, too: Monday mornings, the day when invoices go out, answers to a mailing, thanks. Every
//! subject has days on which twice as many speak of it.

use jiff::{SignedDuration, Timestamp};

/// A random source: the same seed gives the same month.
pub struct Dice(u64);

impl Dice {
    /// Of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Below a number.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.share() * n as f64) as usize).min(n - 1)
    }

    /// One of them.
    pub fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// Around 1: half of it is between 0.7 and 1.4, little beyond 0.4 and 2.5.
    fn about_one(&mut self) -> f64 {
        let sum: f64 = (0..6).map(|_| self.share() - 0.5).sum();
        (sum * 0.75).exp()
    }

    /// How many come where so many are expected.
    fn poisson(&mut self, expected: f64) -> usize {
        let (mut n, mut left) = (0, (-expected.min(500.0)).exp());
        let mut drawn = self.share();
        while drawn > left && n < 1000 {
            n += 1;
            drawn -= left;
            left *= expected / n as f64;
        }
        n
    }
}

/// Something that a customer says.
#[derive(Debug, Clone)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub contact: u32,
    /// His firm.
    pub firm: Option<String>,
    /// Of a mail.
    pub subject: Option<String>,
    /// His words.
    pub text: String,
    /// It is of the outage.
    pub is_of_outage: bool,
}

/// How an outage is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Nothing happens.
    None,
    /// By day, in Finnish.
    ByDay,
    /// In three languages.
    Languages,
    /// In words that have little in common.
    Spread,
    /// At two in the morning.
    AtNight,
}

const FIRMS: usize = 400;
const PEOPLE: usize = 1_500;

/// Subjects that customers write of: how often, how it begins a mail, and what is said in Finnish, Swedish, English.
type Topic = (f64, &'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const TOPICS: &[Topic] = &[
    (
        12.0,
        "Lasku",
        &[
            "Laskussa on väärä viitenumero, voitteko korjata?",
            "En ymmärrä laskun riviä {}, mitä se tarkoittaa?",
            "Saisinko laskun uudestaan sähköpostiin, vanha katosi",
            "Voisiko laskun eräpäivää siirtää viikolla",
            "Laskulla on edelleen vanha osoite, uusi on {}katu 4",
        ],
        &[
            "Fakturan har fel referens, kan ni rätta den?",
            "Vi behöver fakturan som e-faktura, hur gör man?",
            "Kan förfallodagen flyttas en vecka?",
        ],
        &[
            "There is a line on my invoice I do not understand: {}",
            "Could you resend the invoice for {} please",
            "Can we have the bill by email from now on?",
        ],
    ),
    (
        9.0,
        "Tilaus",
        &[
            "Missä tilaukseni viipyy? Tilasin {} viime viikolla",
            "Haluaisin muuttaa tilausta, lisätään kaksi kappaletta {}",
            "Peruisin tilauksen, löysin {} muualta",
            "Onko {} vielä varastossa?",
        ],
        &[
            "Var är min beställning? Jag beställde {} förra veckan",
            "Finns {} i lager?",
            "Kan jag ändra beställningen till {}?",
        ],
        &["Where is my order of {}?", "Is {} still in stock?", "I would like to add {} to my order"],
    ),
    (
        7.0,
        "Toimitus",
        &[
            "Paketti {} on seurannan mukaan Vantaalla jo kolmatta päivää",
            "Lähetyksestä puuttui {}",
            "Kuljettaja ei soittanut vaikka pyysin, paketti vietiin takaisin",
            "Voiko toimituspäivää vaihtaa?",
        ],
        &["Paketet har inte kommit fram ännu", "Leveransen saknade {}", "Kan leveransen komma på eftermiddagen?"],
        &[
            "The parcel with {} has not arrived",
            "Part of the delivery was missing: {}",
            "Can the driver ring the other door?",
        ],
    ),
    (
        6.0,
        "Netti",
        &[
            "Netti pätkii iltaisin, modeemi on {}",
            "Verkko ei toimi uudessa asunnossa, tilasin liittymän {}",
            "Wifi ei kuulu yläkertaan, onko teillä vahvistinta",
            "Nettiyhteys on hidas, nopeustesti näyttää {}",
        ],
        &[
            "Nätet är långsamt på kvällen",
            "Bredbandet fungerar inte efter flytten",
            "Wifi räcker inte till övervåningen",
        ],
        &[
            "The internet is slow in the evenings",
            "No connection after moving, the modem is {}",
            "Which router do you recommend for {}?",
        ],
    ),
    (
        6.0,
        "Kirjautuminen",
        &[
            "En pääse kirjautumaan, unohdin salasanan",
            "Salasanan vaihto ei lähetä sähköpostia",
            "Miten saan tunnukset uudelle työntekijälle {}?",
            "Tunnus lukittui kun kokeilin liian monta kertaa",
        ],
        &["Jag kan inte logga in, har glömt lösenordet", "Hur får en ny anställd inloggning?", "Kontot är låst"],
        &["I forgot my password and cannot log in", "How do I create a login for {}?", "My account is locked"],
    ),
    (
        5.0,
        "Kassa",
        &[
            "Kassan kuittitulostin tulostaa vinoon",
            "Miten kassaan lisätään tuote {}?",
            "Kassaraportti ei täsmää, erotus {} euroa",
            "Maksupääte kysyy päivitystä, uskaltaako painaa?",
        ],
        &[
            "Hur lägger man till {} i kassan?",
            "Kassarapporten stämmer inte",
            "Betalterminalen vill uppdatera, ska jag trycka?",
        ],
        &["How do I add {} to the till?", "The till report does not add up", "The card terminal asks for an update"],
    ),
    (
        5.0,
        "Ajanvaraus",
        &[
            "Haluaisin varata ajan, sopisiko {}?",
            "Siirtäisin huomisen ajan ensi viikkoon",
            "Peruisin ajan, lapsi on kipeä",
            "Onko iltaisin vapaita aikoja?",
        ],
        &["Jag vill boka tid, går {} bra?", "Kan tiden flyttas till nästa vecka?"],
        &["I would like an appointment, is {} free?", "Can we move tomorrow's visit?"],
    ),
    (
        4.0,
        "Sopimus",
        &[
            "Sopimus päättyy, mitä vaihtoehtoja on?",
            "Irtisanon sopimuksen {} ja muutan pois",
            "Paljonko {} maksaisi jos tehdään kahden vuoden sopimus?",
            "Kenen nimissä sopimus on?",
        ],
        &["Vi vill säga upp avtalet för {}", "Vad kostar det om avtalet förlängs?"],
        &["Our contract ends soon, what do you offer?", "I want to cancel the contract for {}"],
    ),
    (
        4.0,
        "Palautus",
        &[
            "Palautan {}, mihin sen voi viedä?",
            "Palautuslomake ei löytynyt paketista",
            "Milloin palautuksen rahat tulevat?",
            "Väärä koko, vaihdetaanko?",
        ],
        &["Jag vill returnera {}", "När kommer pengarna för returen?"],
        &["I want to return {}", "When is my refund due?"],
    ),
    (
        4.0,
        "Sähköposti",
        &[
            "Sähköposti ei lähetä liitteitä",
            "Postilaatikko on täynnä, mitä teen?",
            "Roskaposti lisääntyi, lähettäjä {}",
            "Miten teen poissaoloviestin?",
        ],
        &["E-posten skickar inte bilagor", "Inkorgen är full"],
        &["My mailbox is full", "Outlook asks for {} all the time"],
    ),
    (
        3.0,
        "Tulostin",
        &["Tulostin jumittaa paperia, malli {}", "Tilataan väriä tulostimeen {}", "Skannaus ei mene kansioon {}"],
        &["Skrivaren drar snett, modell {}", "Vi behöver toner till {}"],
        &["The printer jams, model {}", "Scan to folder {} fails"],
    ),
    (
        3.0,
        "Lämmitys",
        &["Patteri on kylmä makuuhuoneessa", "Lämpöpumppu pitää ääntä {}", "Lämmin vesi loppuu kesken suihkun"],
        &["Elementet är kallt i sovrummet", "Värmepumpen låter {}"],
        &["The radiator in the bedroom is cold", "The heat pump shows {}"],
    ),
    (
        3.0,
        "Palaute",
        &[
            "Kiitos hyvästä palvelusta, {} oli todella ystävällinen",
            "Jonotin puhelimessa 40 minuuttia, ei näin",
            "Toivoisin että {} saisi myös tummana",
            "Hieno uudistus nettisivuilla",
        ],
        &["Tack för bra service", "Väntetiden i telefon är för lång"],
        &["Great service from {}", "I waited 40 minutes on the phone"],
    ),
    (
        3.0,
        "Tarjous",
        &["Pyytäisin tarjousta: {} 20 kpl", "Onko {} tarjouksessa vielä ensi viikolla?", "Mitä asennus maksaa?"],
        &["Vi vill ha en offert på {}", "Vad kostar installationen?"],
        &["Please quote for 20 {}", "What does installation cost?"],
    ),
    (
        2.0,
        "Avaimet",
        &["Avain jäi sisään, kuka tulee avaamaan?", "Saisiko toisen avaimen {}katu 7", "Ovikoodi ei toimi"],
        &["Jag låste mig ute", "Dörrkoden fungerar inte"],
        &["I am locked out", "The door code does not work"],
    ),
    (
        2.0,
        "Sovellus",
        &["Sovellus kaatuu kun avaan {}", "Appi ei näytä kuvia", "Milloin sovellus tulee {}lle?"],
        &["Appen kraschar när jag öppnar {}", "Appen visar inte bilder"],
        &["The app crashes when I open {}", "When does the app support {}?"],
    ),
];

const OPENERS: &[&[&str]] = &[
    &["Hei,", "Moi!", "Terve.", "Hyvää päivää", "Heippa", "Huomenta,", ""],
    &["Hej,", "God dag", "Hejsan!", ""],
    &["Hello,", "Hi!", "Dear support,", ""],
];
const CLOSINGS: &[&[&str]] = &[
    &["Kiitos!", "Ystävällisin terveisin", "Terv.", "Kiitos jo etukäteen", "Odotan vastausta", ""],
    &["Tack!", "Med vänlig hälsning", "Hälsningar", ""],
    &["Thanks!", "Best regards", "Thank you in advance", ""],
];

const BY_DAY: &[&str] = &[
    "Kassa ei toimi, asiakkaat jonottavat!",
    "Meillä kassat nurin koko myymälässä",
    "Kassajärjestelmä jumissa aamusta asti",
    "Mikä kassoilla on? Ei mene mikään läpi",
    "Kassa herjaa yhteysvirhettä",
    "Kassaohjelma ei aukea millään koneella",
    "Ei saada kassaa auki, apua",
    "Kassat eivät saa yhteyttä palvelimeen",
    "Kassalla pelkkä pyörivä ympyrä",
    "Kassapääte kaatuu heti kun yrittää myydä",
    "Myynti seis, kassa ei vastaa",
    "Kassa sanoo palvelu ei käytettävissä",
];
const LANGUAGES: &[&str] = &[
    "Kassa ei toimi, asiakkaat jonottavat!",
    "Kassan fungerar inte, vi kan inte sälja något",
    "The till is down in both our shops",
    "Kassajärjestelmä jumissa aamusta asti",
    "Kassasystemet ligger nere sedan i morse",
    "Our tills cannot reach the server",
    "Mikä kassoilla on? Ei mene mikään läpi",
    "Alla kassor visar fel",
    "POS not working, error on every screen",
    "Kassat nurin meillä",
    "Kassan startar inte alls",
    "Cash register stuck at loading, does not work",
];
const SPREAD: &[&str] = &[
    "Kassa ei toimi",
    "Maksupääte antaa virheen joka kortille",
    "Myynti seis koko liikkeessä, kassakone pimeänä",
    "Kuitit ei tulostu ja kassalla punainen ruutu, ei toimi",
    "Asiakkaat ei voi maksaa kortilla, pääte ei saa yhteyttä kassaan",
    "Kassajärjestelmä kaatuu heti aloitussivulla",
    "Ohjelma jumissa tiskillä, kassa ei vastaa",
    "Ei päästä myymään mitään, kassa valittaa palvelimesta",
    "Ruutu jäi tähän: kassapalvelu ei vastaa",
    "Meillä ei mene maksut läpi ollenkaan, kassa tai pääte rikki?",
    "Teidän kassa on nurin taas",
    "Jono ulos asti kun kassat ei toimi",
];

/// The month: what is said, in order.
pub fn month(seed: u64, outage: Outage, begin: Timestamp) -> Vec<Said> {
    let mut dice = Dice::new(seed);
    let words = vocabulary(&mut Dice::new(7));
    let mut said = Vec::new();
    for day in 0..30 {
        let weekday = day % 7; // The month begins on a Monday.
        let topics: Vec<f64> = TOPICS
            .iter()
            .map(|topic| {
                topic.0 * dice.about_one() * if topic.1 == "Lasku" && matches!(day, 1 | 15) { 3.0 } else { 1.0 }
            })
            .collect();
        let busy = dice.about_one().clamp(0.6, 1.6);
        for hour in 0..24 {
            let expected = busy * per_hour(weekday, hour);
            for _ in 0..dice.poisson(expected) {
                let at = begin + SignedDuration::from_secs((day * 24 + hour) * 3600 + dice.below(3600) as i64);
                said.push(usual(&mut dice, at, &topics, &words));
            }
        }
    }
    said.extend(answers_to_a_mailing(&mut dice, begin + SignedDuration::from_hours(9 * 24 + 9)));
    said.extend(spoken_of(&mut dice, outage, begin));
    said.sort_by_key(|one| one.at);
    said
}

fn per_hour(weekday: i64, hour: i64) -> f64 {
    match (weekday, hour) {
        (5 | 6, 9..=20) => 4.0,
        (0, 8..=11) => 36.0,
        (_, 8..=15) => 24.0,
        (_, 16..=21) => 7.0,
        (_, 6 | 7 | 22) => 4.0,
        _ => 0.7,
    }
}

/// Names, products, streets: words that are rare and mean nothing.
fn vocabulary(dice: &mut Dice) -> Vec<String> {
    const SYLLABLES: &[&str] = &[
        "ka", "lo", "mi", "ra", "su", "tel", "vin", "por", "ha", "nek", "sti", "mo", "ran", "ul", "pe", "jo", "tar",
        "li", "ven", "kos",
    ];
    let word =
        |dice: &mut Dice| (0..2 + dice.below(3)).map(|_| *dice.of(&SYLLABLES.iter().collect::<Vec<_>>())).collect();
    (0..3_000).map(|_| word(dice)).collect()
}

/// A few are said often, most hardly ever.
fn word<'a>(dice: &mut Dice, words: &'a [String]) -> &'a str {
    let at = (words.len() as f64).powf(dice.share()) as usize;
    &words[at.min(words.len() - 1)]
}

fn who(dice: &mut Dice) -> (u32, Option<String>) {
    match dice.below(2) {
        0 => {
            let firm = dice.below(FIRMS);
            let person = u32::try_from(firm * 4 + dice.below(4)).expect("few");
            (person, Some(format!("firma{firm}.example")))
        }
        _ => (10_000 + u32::try_from(dice.below(PEOPLE)).expect("few"), None),
    }
}

fn usual(dice: &mut Dice, at: Timestamp, topics: &[f64], words: &[String]) -> Said {
    let mut drawn = dice.share() * topics.iter().sum::<f64>();
    let picked = topics.iter().position(|weight| {
        drawn -= weight;
        drawn <= 0.0
    });
    let topic = &TOPICS[picked.unwrap_or(0)];
    let language = match dice.below(20) {
        0..=12 => 0,
        13..=15 => 1,
        _ => 2,
    };
    let bodies = [topic.2, topic.3, topic.4][language];
    let body = dice.of(bodies).replace("{}", word(dice, words));
    let more: Vec<&str> = (0..dice.below(6)).map(|_| word(dice, words)).collect();
    let (contact, firm) = who(dice);
    let subject = (dice.below(2) == 0).then(|| match dice.below(3) {
        0 => topic.1.to_owned(),
        1 => format!("{} {}", topic.1, word(dice, words)),
        _ => format!("Re: {} {}", topic.1, dice.below(90_000)),
    });
    let text = format!("{} {body} {} {}", dice.of(OPENERS[language]), more.join(" "), dice.of(CLOSINGS[language]));
    Said { at, contact, firm, subject, text, is_of_outage: false }
}

/// Sixty answers to one mailing within three hours.
fn answers_to_a_mailing(dice: &mut Dice, from: Timestamp) -> Vec<Said> {
    const ANSWERS: &[&str] = &[
        "Tilaan kampanjahintaan kaksi",
        "Onko kampanja voimassa myös Oulussa?",
        "Kiitos, otan kampanjatuotteen",
        "Poistakaa minut postituslistalta",
        "Saako syyskampanjan hinnalla myös toisen värin?",
        "Syyskampanja kiinnostaa, soittakaa",
    ];
    let one = |dice: &mut Dice| {
        let (contact, firm) = who(dice);
        let at = from + SignedDuration::from_secs(dice.below(3 * 3600) as i64);
        let subject = Some("Re: Syyskampanja alkoi: katso edut".to_owned());
        Said { at, contact, firm, subject, text: dice.of(ANSWERS).to_owned(), is_of_outage: false }
    };
    (0..60).map(|_| one(dice)).collect()
}

/// Twenty organisations within the hour, at a busy day's usual traffic or in the night.
fn spoken_of(dice: &mut Dice, outage: Outage, begin: Timestamp) -> Vec<Said> {
    let texts = match outage {
        Outage::None => return Vec::new(),
        Outage::ByDay | Outage::AtNight => BY_DAY,
        Outage::Languages => LANGUAGES,
        Outage::Spread => SPREAD,
    };
    let hour = if outage == Outage::AtNight { 2 } else { 10 };
    let from = begin + SignedDuration::from_hours(16 * 24 + hour);
    let first = dice.below(FIRMS - 20);
    (0..20)
        .map(|n| {
            let at = from + SignedDuration::from_secs(dice.below(3600) as i64);
            let firm = first + n;
            let contact = u32::try_from(firm * 4).expect("few");
            let language = if outage == Outage::Languages { n % 3 } else { 0 };
            let text = texts[n % texts.len()];
            let text = format!("{} {text} {}", dice.of(OPENERS[language]), dice.of(CLOSINGS[language]));
            Said { at, contact, firm: Some(format!("firma{firm}.example")), subject: None, text, is_of_outage: true }
        })
        .collect()
}
