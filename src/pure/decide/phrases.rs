//! What people write, per language: Finnish, Swedish, English, Estonian, German.
//!
//! Lists are plain so that somebody who speaks the language can mend them; what desks word in their own
//! way ("a new matter", "it is back") is in the configuration instead. Longer texts are held against
//! them [`flatten`]ed.
//!
//! **Invariant:** no list here decides whose a message is. Words find names, set a priority and
//! tell a greeting from a matter; joining needs evidence.

pub use crate::pure::domain::phrases::{Phrases, flatten};
use regex::Regex;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A list as it is written here: commas between.
fn list(text: &'static str) -> Vec<&'static str> {
    text.split(',').map(str::trim).filter(|phrase| !phrase.is_empty()).collect()
}

/// Words that say nothing by themselves: greetings, thanks, assent.
static NOTHING: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "
    hei heippa hejsan heissan moi moikka moikku moro morjens morjesta terve tervehdys terppa huomenta huomenia
    iltaa päivää päivä hyvää hyvä ilta huomenta haloo hola jep joo juu kyllä ei ok okei okej
    okay selvä selvis kiitos kiitti kiitoksia kiits kiitän paljon tosi hienoa hienosti mahtavaa loistavaa kiva
    kivaa jes jees juuh jahas aha ahaa ai no niin näin eli oonko kuulolla siellä ketään onko joku paikalla kukaan
    oletko oletteko
    terveisin terkuin terveisiä yt terv ystävällisin heipä heips moips hyvä juttu asia kunnossa palataan näkemiin
    viikonloppua jatkoa päivänjatkoa samoin teille sinne sulle oikein kaunis kauniit
    hej hejhej hallå tja tjena tjenare tjabba goddag god dag morgon kväll morron tack tackar tusen så mycket tackså
    jättemycket ja nej jo jaha japp jag förstår bra toppen fint perfekt super någon där är det
    mvh hälsningar vänliga vänlig med hälsning detsamma ha en trevlig fin helg vi hörs hejdå
    hi hello hey heya hiya good morning afternoon evening day greetings thanks thank you thx ty tnx cheers very
    much many so lot a alot yes no yep yeah yup nope nah great perfect super nice cool awesome sure right alright
    anyone anybody somebody there is
    understood got it welcome bye goodbye dear sir madam all the best regards kind sincerely have weekend
    appreciated please pls k kk lol noted
    tere tervist hommikust päevast õhtust tšau tsau aitäh tänan tänud suur suured väga palju jah ei okei selge
    hästi tore olgu head aega nägemist kas keegi on seal tervitades lugupidamisega päeva õhtut nädalavahetust
    hallo guten tag morgen abend moin servus grüß gott grüezi danke vielen dank schön sehr herzlichen bitte ja nein
    gut alles klar prima tschüss ciao ist jemand da freundlichen grüßen mit freundliche grüße
    allo privet zdravstvujte zdravstvuyte spasibo test testi
    "
    .split_whitespace()
    .collect()
});

/// Longest text, in words, that may still say nothing; more words are a sentence, whatever they are.
const NOTHING_WORDS_MAX: usize = 12;

/// Whether a flattened text is a greeting, thanks, assent, emoji or nothing at all.
pub fn says_nothing(flat: &str) -> bool {
    let mut words = flat.split_whitespace();
    words.by_ref().take(NOTHING_WORDS_MAX).all(|word| NOTHING.contains(word)) && words.next().is_none()
}

/// How a closing phrase may be followed by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Nobody writes it but to sign: any name may follow on the line.
    Plain,
    /// Also the start of other things ("T-paita", "best price"): the name must look like one.
    Short,
    /// Thanks: "Thanks, Minna" is signed by Minna, "Thanks Minna" is said to Minna.
    Thanks,
}

/// Closing phrases that begin with a letter, the longest first: of two that fit the longer wins.
pub fn closings(first: char) -> &'static [(&'static str, Closing)] {
    CLOSINGS.get(&first).map_or(&[], Vec::as_slice)
}

/// Closing phrases by their first letter, lower case.
static CLOSINGS: LazyLock<HashMap<char, Vec<(&'static str, Closing)>>> = LazyLock::new(|| {
    let plain = list(
        "
        terveisin, parhain terveisin, ystävällisin terveisin, ystävällisesti, kunnioittavasti, kunnioittaen,
        yhteistyöterveisin, kesäterveisin, syysterveisin, aurinkoisin terveisin, kevätterveisin, talviterveisin,
        terveiset, terkuin, terkut, terv, tervehtien, yst terv, ystäv terv, kiittäen, kiitoksin, kiitollisena,
        halauksin, ystävällisin, med vänlig hälsning, med vänliga hälsningar, med vänlig hälsn, vänlig hälsning,
        vänliga hälsningar, högaktningsfullt, bästa hälsningar, hälsningar, hälsning, hälsn, hälsar, med hälsning,
        med hälsningar, varma hälsningar, mvh, m v h, regards, best regards, kind regards, kindest regards,
        warm regards, warmest regards, with regards, with kind regards, with best regards, many regards, rgds,
        brgds, kr, sincerely, sincerely yours, yours sincerely, yours faithfully, yours truly, respectfully,
        best wishes, all the best, with best wishes, faithfully, tervitades, tervitustega, tervitusega, tervitusi,
        lugupidamisega, austusega, parimate soovidega, heade soovidega, parimate tervitustega,
        mit freundlichen grüßen, mit freundlichen gruessen, mit freundlichem gruß, freundliche grüße,
        freundlichen gruß, viele grüße, liebe grüße, beste grüße, schöne grüße, herzliche grüße, grüße, gruß,
        hochachtungsvoll, mfg
        ",
    );
    let short = list(
        "
        t, yt, yst, vh, mh, br, kr, vg, lg, bg, yours, vänligen, terveisiä, terkkuja, tervitab, parimat, best,
        cheers, ps t, from, with love, love, xoxo, bästa, kram
        ",
    );
    let thanks = list(
        "
        kiitos, kiitos etukäteen, kiitoksia, kiitti, kiitos ja hyvää päivänjatkoa, suurkiitos, paljon kiitoksia,
        kiitos paljon, kiitos avusta, thanks, thank you, many thanks, thanks in advance, thank you in advance, thx,
        tnx, with thanks, tack, tack på förhand, tackar, tack så mycket, stort tack, tusen tack, aitäh, tänan,
        tänan ette, ette tänades, tänades, suur aitäh, danke, vielen dank, danke im voraus, vielen dank im voraus,
        besten dank, herzlichen dank
        ",
    );
    let mut all: Vec<_> = plain.into_iter().map(|phrase| (phrase, Closing::Plain)).collect();
    all.extend(short.into_iter().map(|phrase| (phrase, Closing::Short)));
    all.extend(thanks.into_iter().map(|phrase| (phrase, Closing::Thanks)));
    all.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
    let mut by_letter: HashMap<char, Vec<(&'static str, Closing)>> = HashMap::new();
    for (phrase, closing) in all {
        by_letter.entry(phrase.chars().next().unwrap_or(' ')).or_default().push((phrase, closing));
    }
    by_letter
});

/// Words that join two closings: "kiitos ja terveisin".
pub static CONNECTORS: &[&str] = &["ja", "och", "and", "und", "ning", "with", "med", "mit", "sekä", "o"];

/// Before the writer's name, with nothing else it could mean.
pub static INTRODUCTIONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        menja zovut, menya zovut, nimeni on, mun nimi on, minun nimeni on, nimeni, jag heter, mitt namn är, my name is, my name's,
        minu nimi on, mu nimi on, mina olen, mein name ist, ich heiße, ich heisse
        ",
    )
});

/// Before the writer's name or anything else: only what is clearly a name counts.
pub static WEAK_INTRODUCTIONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        olen, oon, täällä on, täällä soittelee, täällä kirjoittelee, täällä, tässä on, tässä, soittelen, soitan,
        soittelee, kirjoittelee, tervehtii, jag är, det är, det här är, här är,
        i am, i'm, i’m, im, this is, it's, it is, here is, siin on, siin, ma olen, ich bin, hier ist, hier spricht,
        hier schreibt, hier, här, eto
        ",
    )
});

/// Those of them behind which a noun has a capital as well; lower case.
pub static BEFORE_NOUNS: &[&str] = &["im", "ich bin", "hier ist", "hier", "här"];

/// After the writer's name: "Minna Virtanen täällä".
pub static INTRODUCED: &[&str] = &["täällä", "tässä", "tääl", "tässä hei", "här", "here", "siin", "hier"];

/// After the writer's name, whoever has written before: "Minna Virtanen taas".
pub static ONCE_MORE: &[&str] = &["taas", "jälleen", "igen", "again", "jälle", "wieder", "nochmal"];

/// Labels of a form's name field, at the start of a line.
pub static NAME_LABELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        nimi, nimeni, koko nimi, asiakkaan nimi, tilaajan nimi, tilaaja, yhteyshenkilön nimi, namn, kundens namn,
        beställare, customer name, your name, contact name, kliendi nimi, tellija, name des kunden, besteller, name, full name, nime, ees- ja perekonnanimi, vor- und nachname,
        yhteyshenkilö, kontaktperson
        ",
    )
});

/// Before the customer's name in what an agent writes: "Soittaja Minna Virtanen".
pub static CALLER_LABELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        soittaja oli, soittaja, soitti, asiakas, asiakas oli, uppringare, ringde, kunden, kund, caller was, caller,
        customer, called by, helistaja oli, helistaja, helistas, klient, anrufer, anruferin, kunde, kundin,
        puhelimessa, på tråden, on the line, am apparat,
        nainen, mies, rouva, herra, kvinna, dam, herre, woman, lady, gentleman, naine, naisterahvas, meesterahvas,
        proua, frau, dame,
        nimi, nimi on, nimi oli, soittajan nimi, namn, namnet är, heter, name, name is, name was, name ist, nimega
        ",
    )
});

/// What somebody does, before his name. Lower case.
pub static OCCUPATIONS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        huoltomies asentaja isännöitsijä johtaja toimitusjohtaja päällikkö sihteeri emäntä isäntä opettaja lääkäri
        hoitaja kuljettaja vuokralainen kirjanpitäjä työnjohtaja vahtimestari
        kanttori rehtori pastori asianajaja vaktmästare direktör kantor rektor pastor advokat ingenjör chaufför förare lärare läkare sjuksköterska hyresgäst montör förman
        driver teacher nurse doctor tenant landlord caretaker concierge engineer plumber foreman receptionist
        juht õpetaja arst üürnik direktor rechtsanwalt ra mag fahrer lehrer lehrerin mieter mieterin hausmeister meister
        ",
    )
});

/// What a caller does, in what an agent notes of him: "Mirja kysyi …". Lower case.
pub static CALLERS_ACTS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        kysyi kyseli soitti soitteli kertoi ilmoitti pyysi halusi haluaa toivoi tiedusteli valitti kiitti vahvisti
        perui varasi siirsi tilasi sanoi vastasi ringde frågade undrade sade ville vill bad bekräftade tackade berättade
        bokade avbokade keyed called rang asked wants wanted said confirmed reported thanked booked cancelled küsis helistas
        palus teatas soovis tänas tänab rief fragte wollte bat meldete bestätigte
        ",
    )
});

/// Before the name of a colleague to whom a caller was put through. Lower case.
pub static PUT_THROUGH_TO: &[&str] = &["an", "zu", "mit", "to", "with", "till", "med"];

/// Behind the caller's name: where he calls from, or what about. Lower case.
pub static CALLS_FROM: &[&str] = &[
    "from",
    "från",
    "von",
    "vom",
    "aus",
    "re",
    "about",
    "regarding",
    "concerning",
    "angående",
    "ang",
    "gällande",
    "om",
    "koskien",
    "liittyen",
    "asiasta",
    "wegen",
    "bezüglich",
    "betreffend",
    "kohta",
];

/// Endings of words that are no name in a note: whom somebody was put through to, what he took us for. Lower case.
pub static OBJECT_ENDINGS: &[&str] = &["lle", "ksi"];

/// Capitalised words that are nobody's name: salutations, common sentence openers, products of
/// habit. Lower case.
static NOT_NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "
    ei eli en että hän he ja jos joo kuin kun kyllä me mikä mitä miten miksi milloin missä mistä mihin minä mä
    mutta myös ne niin no nyt oletteko onko ovatko olen olemme ole on pitääkö saako saanko se sitten te tuo tuon
    tämä tänään
    vai vaan vielä voiko voinko voitteko haluan haluaisin odotan tarvitsen toivon tilasin maksoin soitan soittakaa
    vastatkaa palaan palautan huomenna eilen kokeilin sama asia lasku tilaus tilausnumero tuote paketti reklamaatio
    palaute
    asiakas asiakasnumero asiakaspalvelu palvelu osoite puhelin puh tel gsm sähköposti email mail www http https
    hyvä hyvää parhain ystävällisin arvoisa päivää päivä iltaa huomenta hei heippa hejsan moi moikka moro terve
    tervehdys kiitos kiitti kiitoksia
    kiireellinen tiedoksi liite liitteenä aihe lähettäjä vastaanottaja lähetetty maanantai maanantaina tiistai
    tiistaina keskiviikko keskiviikkona torstai torstaina perjantai perjantaina lauantai lauantaina sunnuntai
    sunnuntaina
    hyvät nähdään palataan joulua vuotta viikonloppua jatkoa tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu
    heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu suomi suomessa helsinki helsingissä espoo vantaa tampere
    turku oulu jyväskylä kuopio
    jag du han hon vi ni de det den detta och men om när var vad hur varför är har kan kunde vill skulle inte nu
    här där tack hej hejsan hallå god goddag dag morgon kväll bästa vänliga vänlig hälsningar mvh ärende faktura
    beställning ordernummer order
    orderbekräftelse paket produkt kundtjänst kund fråga klagomål adress telefon tfn mobil bilaga ämne måndag
    tisdag onsdag torsdag fredag lördag söndag idag imorgon igår jul helg januari februari mars april maj juni juli
    augusti september oktober november december
    sverige finland stockholm göteborg åbo helsingfors
    i you he she we they it this that these those and but or if when where what how why who which is are was were
    have has had can could would should do does did not no yes please thanks thank hello hi hey dear good morning
    afternoon evening best kind
    regards the a an my your our their number invoice product parcel package delivery service customer support team
    desk help question complaint feedback address phone mobile cell fax attached attachment subject from to sent re
    fw fwd monday tuesday
    wednesday thursday friday saturday sunday today tomorrow yesterday christmas january february march june july
    october london england uk usa still waiting ok okay urgent asap regarding order
    ma sa ta meie teie nemad see too ja või kui kus mida kuidas miks kes mis on oli olen kas palun aitäh tänan tere
    tervist head hea lugupeetud arve tellimus tellimuse pakk toode teenus klienditeenindus klient kaebus küsimus
    aadress telefon esmaspäev
    teisipäev kolmapäev neljapäev reede laupäev pühapäev täna homme eile eesti tallinn tartu pärnu
    ich du er sie wir ihr es das der die ein eine und oder aber wenn wo was wie warum wer ist sind war haben hat
    kann können würde nicht kein nein bitte danke hallo guten tag morgen abend liebe lieber sehr geehrte geehrter
    damen herren rechnung bestellung
    paket produkt kundenservice kunde frage beschwerde anschrift telefon handy anlage betreff von an gesendet
    montag dienstag mittwoch donnerstag freitag samstag sonntag heute gestern deutschland berlin hamburg münchen
    iphone ipad android outlook gmail google facebook samsung galaxy apple nokia nb ps ps. huom obs fyi sos
    faktuuri wifi vpn pdf html click here now notice legal signature authorized removal unsubscribe body text
    registration groups webcam live
    grüß gott grüezi servus moin eto etot eta zdes zdravstvujte zdravstvuyte privet
    puolesta toivoo från alla kaikki terveisin terv yt mitä tapahtuu hyvin huonosti toimii auttakaa apua vastausta
    odottaen
    "
    .split_whitespace()
    .collect()
});

/// Whether a lower-case word can be no part of a name.
pub fn is_no_name(word: &str) -> bool {
    NOT_NAMES.contains(word)
        || is_organisation(word)
        || ["nr", "nro", "numero", "nummer", "number", "tunnus"].iter().any(|end| word.ends_with(end))
}

/// Words that make a line or display name that of a firm, a unit or a machine. Lower case.
static ORGANISATIONS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "
    oy oyj ab abp ky tmi ay ry rf rs as asoy osk oü aktsiaselts fie mtü sa as. ltd limited plc llc inc inc. corp
    corporation company co. gmbh ag ug kg ohg ev hb kb publ group konserni holding yhtiöt
    palvelukoti hoivakoti vanhainkoti perhekeskus platskontoret platskontor äldreboende hooldekodu
    asiakaspalvelu asiakaspalvelija asiakaspalvelutiimi palvelu palvelut laskutus myynti tilaukset toimisto
    toimitus toimitukset huolto tekninen tuki kirjaamo vaihde info neuvonta tiimi osasto hallinto talous
    taloushallinto hankinta ostot ostolaskut
    isännöinti isännöitsijätoimisto tilitoimisto ravintola kahvila hotelli kampaamo parturi kukkakauppa kauppa
    kioski apteekki koulu päiväkoti seurakunta kunta kaupunki yhdistys säätiö rakennus putki metalli autohuolto
    varasto puutarha sähkö kuljetus kiinteistö
    kundtjänst kundservice fakturering försäljning support supporten växel växeln avdelning restaurang café kafé
    hotell skola kommun stad förening bokföringsbyrå byggnads bygg
    customer service sales billing accounts accounting office team department reception restaurant cafe coffee
    hotel school university college city council association foundation solutions consulting services technologies
    systems software bank insurance newsletter
    marketing notifications notification noreply donotreply no-reply postmaster mailer-daemon daemon administrator
    admin webmaster helpdesk servicedesk
    klienditeenindus müük arveldus tugi kontor kauplus restoran kohvik kool vald raamatupidamine
    maalaamo leipomo konepaja verstas korjaamo
    måleri snickeri åkeri bageri plåtslageri verkstad fastigheter bostäder salong
    töökoda pagaritöökoda liising saeveski
    malerbetrieb tischlerei schreinerei bäckerei spedition autohaus werkstatt praxis kanzlei
    plumbing bakery pottery roofing joinery haulage garage clinic
    einkauf verkauf inköp inköpare hankinnat purchasing procurement ostud hange
    kundenservice kundendienst vertrieb buchhaltung büro abteilung gaststätte schule stadt gemeinde verein
    "
    .split_whitespace()
    .collect()
});

/// Whether a lower-case word marks a firm, a unit or a machine.
pub fn is_organisation(word: &str) -> bool {
    ORGANISATIONS.contains(word)
}

/// Given names that in lower case are words of everyday.
pub static NAMES_IN_CAPITALS: &[&str] = &["till", "will", "may", "mark", "per", "hans", "jo", "memo", "mo"];

/// Particles that stand in lower case within a name.
pub static PARTICLES: &[&str] = &[
    "von", "van", "de", "af", "der", "den", "da", "di", "del", "la", "le", "el", "al", "bin", "ten", "ter", "zu", "dos",
];

/// What stands before the name of somebody who signs for another; as written.
pub static AUTHORITIES: &[&str] = &["i. A. ", "i.A. ", "i. V. ", "i.V. ", "i A ", "iA ", "ppa. ", "p.p. ", "pp "];

/// Endings of the places one is from or in ("Tampereelta", "Tartust"). Lower case.
pub static PLACE_ENDINGS: &[&str] =
    &["lta", "ltä", "sta", "stä", "ssa", "ssä", "lla", "llä", "ast", "ust", "ist", "est", "alt", "elt", "ilt", "ult"];

/// Lines a device adds by itself; lower case, beginnings of lines.
pub static DEVICE_LINES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        lähetetty , skickat från, sänt från, skickades från, sent from, sent with, sent via, get outlook,
        hanki outlook, skaffa outlook, hämta outlook, saadetud minu, gesendet von, von meinem,
        diese nachricht wurde, outlook für, outlook for, yahoo mail
        ",
    )
});

/// Words before a phone number that say it is one. Lower case, without dots.
pub static PHONE_LABELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        puh, puhelin, puhelimeni, puhelinnumero, puhelinnumeroni, puhnro, p, gsm, mob, mobile, mobiili,
        matkapuhelin, kännykkä, tel, tfn, telefon, telefonnummer, telefoni, telefoninumber, mobil, mobiil,
        mobilnummer, phone, cell, telephone, line, landline, durchwahl, lankanumero, whatsapp, wa, handy, rufnummer, telefonnr, telnr, soita, soittakaa,
        soittaa, numeroni, m, t, ring, ringa, call, helista, helistage, helistada, anrufen, rufen
        ",
    )
});

/// Words before or after a number that make it the firm's, or no phone of a person at all.
pub static SWITCHBOARD_LABELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        vaihde, puhelinvaihde, keskus, växel, växeln, telefonväxel, switchboard, keskjaam, zentrale, reception,
        respa, asiakaspalvelu, kundtjänst, opettajainhuone, opettajanhuone, opettajienhuone, kanslia, lärarrum,
        lärarrummet, kansli, kansliet, staffroom, lehrerzimmer, sekretariat, kantselei, fax, faksi, faks, telefax,
        telekopio
        ",
    )
});

/// Beginnings of the same: "asiakaspalvelumme", "vaihteen".
pub static SWITCHBOARD_STEMS: &[&str] = &[
    "asiakaspalvel",
    "vaihtee",
    "puhelinvaihte",
    "keskukse",
    "kundtjänst",
    "klienditeenindus",
    "kundendienst",
    "zentral",
];

/// Behind a number, in brackets: several people answer it. Lower case.
pub static OFFICES: &[&str] =
    &["office", "reception", "toimisto", "kanslia", "kansliet", "kontoret", "kontor", "büro", "sekretariat"];

/// Beginnings of words before a number that make it anything but a phone. Lower case.
pub static NOT_PHONE_LABELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "
        tilausn, tilaus, tilauks, lasku, viite, viitenumer, sopimusn, asiakasn, tili, sarjan, jäsenn, kollin,
        seuranta, lähetystunnu, käyttöpaik, mittari, postinumer, hetu, order, invoice, reference, ref, account,
        iban, bic, serial, imei, ean, sku, tracking, customern, faktura, kundn, beställning, referens, ocr, konto,
        postn, personn, tellimus, arve, viiten, kliendin, isikukood, rechnung, bestell, kundenn, sendung, y-tunnus,
        ytunnus, vat, reg
        ",
    )
});

/// Words between a label and its number. Lower case.
pub static LABEL_FILLERS: &[&str] = &[
    "on", "is", "är", "ist", "nro", "no", "nr", "num", "numero", "number", "nummer", "numeroni", "numerot", "n:o",
    "nbr", "numeroon", "oli", "was", "suora", "numbril", "numbrile", "minulle", "mulle", "me", "mig", "mich", "mind",
    "mulle", "at", "på", "unter", "numret",
];

/// Words of a list: whole, or where they end in `*` the beginning of one.
pub struct Words {
    whole: HashSet<&'static str>,
    stems: Vec<&'static str>,
}

impl Words {
    fn new(words: &'static str) -> Self {
        let (stems, whole): (Vec<_>, Vec<_>) = words.split_whitespace().partition(|word| word.ends_with('*'));
        Self {
            whole: whole.into_iter().collect(),
            stems: stems.iter().map(|stem| stem.trim_end_matches('*')).collect(),
        }
    }

    /// Whether a lower-case word is one of them.
    pub fn is(&self, word: &str) -> bool {
        self.whole.contains(word) || self.stems.iter().any(|stem| word.starts_with(stem))
    }
}

/// Words of calling and of telephones, some way before a number. Lower case.
pub static CALL_WORDS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        puhelin* puhelim* puhnro puh kännyk* känny* matkapuh* gsm* mobiil* mobil mobilen mobilnummer* mobiltelefon*
        whatsapp* telefon* tel tfn handy* rufnummer* phone* cell cellphone* mobile mobiles mobile's telephone*
        soit* tavoit* ring ringa ringer ringas nås når call calls calling reach reached text helista* kätte
        kättesaadav anruf* anrufen ruf rufen erreich* zvon* pozvon* nomer* telefonu mobilnyj mobilnik
        ",
    )
});

/// Words for a number of any kind: of a telephone only where nothing else is said of it. Lower case.
pub static NUMBER_WORDS: &[&str] =
    &["nr", "nro", "no", "num", "numero", "numeroni", "numerot", "number", "numbri", "nummer", "numret", "nomer"];

/// Between such a word and the number. Lower case.
pub static COPULAS: &[&str] = &["on", "is", "är", "ist", "eto", "nyt", "now", "nu", "nüüd", "jetzt", "teper"];

/// Before such a word, of what has taken the place of another. Lower case.
pub static NEW_ONES: &[&str] = &[
    "uusi", "uuden", "ny", "nya", "nytt", "new", "uus", "uue", "neue", "neuer", "novyj", "noviy", "moj", "moy", "moi",
];

/// Behind digits that are a price, a length, a count. Lower case.
pub static UNITS_BEHIND: &[&str] = &[
    "e", "eur", "euro", "euroa", "eurot", "euros", "kr", "sek", "nok", "dkk", "zł", "pln", "kč", "gbp", "usd", "kpl",
    "st", "stk", "tk", "pcs", "km", "m", "kg", "g", "l", "kwh", "w", "v", "szt", "ks", "mm", "cm", "h", "min",
];

/// Words for a number or address by which somebody is reached. Lower case.
pub static ADDRESS_WORDS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        numero* puhelin* puhelim* puhnro puh kännyk* kännyn känny matkapuh* gsm gsm:* mobiil* whatsapp* sähköpost*
        email* e-mail* mail maili* meili* osoite* nummer* telefon* tel tfn mobil* mobiltelefon* e-post* epost* mejl*
        number* phone* cellphone* cell mobile* telephone* line handy* handynummer* rufnummer* e-mail-adresse
        meiliaadress e-posti* aadress*
        ",
    )
});

/// One word that says an address is the writer's own.
pub static OWN_ADDRESSES: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        numeroni numeromme puhelinnumeroni puhelinnumeromme puhelimeni puhelimemme puhnroni kännykkäni kännyni
        kännykkänumeroni matkapuhelimeni matkapuhelinnumeroni gsm:ni gsm-numeroni mobiilini whatsappini sähköpostini
        sähköpostiosoitteeni osoitteeni mailini meilini omani
        ",
    )
});

/// One word that says an address is somebody else's.
pub static OTHERS_ADDRESSES: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        numeronsa puhelinnumeronsa puhelimensa kännykkänsä matkapuhelimensa sähköpostinsa sähköpostiosoitteensa
        numeronne puhelinnumeronne sähköpostinne
        ",
    )
});

/// Who is meant by "my": the writer. Lower case.
pub static OWNERS_OURS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        minun mun mä meidän oma oman omaan my our mine min mitt mina vår vårt våra mu minu meie oma mein meine meinen
        meinem meiner meines unser unsere unserer unserem unseres unseren
        ",
    )
});

/// Who is meant by "his": somebody else, be it the reader.
pub static OWNERS_OF_OTHERS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        hänen heidän sen niiden teidän sinun his her their your hans hennes deras din ditt er ert tema nende teie sinu
        seine seiner seinem seinen sein ihre ihrer ihrem ihren ihr deren dessen
        ",
    )
});

/// People one speaks of with "my" before or a genitive. Lower case.
pub static RELATIONS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        mies vaimo puoliso avopuoliso poika tytär äiti isä
        husband* wife* spouse* partner* boyfriend* girlfriend* fiance* fiancé* son son's daughter* child child's kid*
        mother* father* mom mom's mum mum's dad dad's parents* sister* brother* aunt* uncle* grandmother* grandfather*
        grandma* grandpa* granddaughter* grandson* niece* nephew* friend* colleague* coworker* co-worker* workmate*
        neighbour* neighbor* boss boss's boss' manager* supervisor* assistant* secretary* employee* tenant* landlord*
        flatmate* roommate* caretaker* carer* guardian* lawyer* accountant*
        man fru hustru make maka sambo särbo pojkvän flickvän son dotter barn mamma mor pappa far syster bror vän väninna
        kompis kollega arbetskamrat granne chef sekreterare assistent förman farmor farfar mormor morfar föräldrar
        mann frau ehemann ehefrau freund freundin tochter kind mutter vater mama papa schwester bruder kollege kollegin
        kollegen nachbar nachbarin nachbarn chefin vorgesetzter vorgesetzte sohn partnerin oma opa eltern sekretärin
        mees naine elukaaslane poeg tütar laps ema isa õde vend sõber sõbranna kolleeg töökaaslane naaber
        ülemus sekretär
        ",
    )
});

/// The same in a form that by itself says they are somebody's: a possessive suffix or a genitive.
pub static RELATIONS_OWNED: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        abikaasa mieheni miehemme miehen miehell* miehelt* vaimoni vaimomme vaimon vaimoll* vaimolt* puolisoni
        puolisomme
        puolison puolisoll* puolisolt* avopuoliso* avomie* avovaimo* aviomie* kumppanini kumppanin poikani poikamme
        pojan pojall* pojalt* poikaystäv* tyttöystäv* tyttäreni tyttäremme tyttären tyttärell* tyttärelt* lapseni
        lapsemme lapsen äitini äitimme äidin äidill* äidilt* isäni isämme isän isäll* isält* vanhempani vanhempien
        siskoni siskon siskoll* sisareni sisaren veljeni veljen veljell* anoppini anopin appeni mummoni mummon
        isoäitini isoisäni ukkini vaarini ystäväni ystävän ystäväll* kaverini kaverin kaverill* kollegani kollegan
        kollegall* kollegalt* kollegamme työkaverini työkaverin työkaverill* työtoverini työtoverin naapurini
        naapurin naapurill* naapurimme pomoni pomon pomoll* pomomme esimieheni esimiehen esimiehemme esihenkilöni
        esihenkilön päällikköni johtajani johtajamme johtajan toimitusjohtajamme toimitusjohtajan sihteerini
        sihteerimme assistenttini alaiseni työntekijämme vuokralaiseni vuokralaisemme isännöitsijämme isännöitsijän
        kämppäkaverini kämppikseni edunvalvojani kirjanpitäjämme kirjanpitäjäni kuljettajan kuljettajanne kuljettajall*
        asentajan asentajanne asentajall* kuriirin lähetin myyjän myyjänne huoltomiehen chaufförens montörens kulleri
        autojuhi fahrers monteurs
        mans hustrus frus makes makas sambos dotters pojkes mammas mors pappas fars systers brors väns kompis kollegas
        arbetskamrats grannes chefs sekreterares
        mehe naise abikaasal* elukaaslase poja tütre lapse ema isal* emal* õe venna sõbra sõbranna kolleegi kolleegil*
        töökaaslase naabri naabril* ülemuse ülemusel* sekretäri
        mannes ehemannes ehefrau sohnes tochters vaters kollegens chefs nachbarn
        ",
    )
});

/// Titles by which somebody is spoken of with the family name. Lower case.
pub static HONORIFICS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        rouva rva herra hra neiti frk tohtori tri herr hr fru fröken mr mrs ms miss dr prof professor herrn frau härra
        proua pr preili
        ",
    )
});

/// The last word before the number at which the writer is to be called: "soita minulle 040 …". Lower case.
pub static TO_US: &[&str] = &["minulle", "mulle", "meille", "me", "us", "mig", "oss", "mich", "uns", "meile"];

/// The last word before the number of somebody who called the writer, and the words one of which stands just
/// before that: "sain puhelun numerosta …", "I had a call from …". Lower case.
pub static CALLED_FROM: &[(&str, &[&str])] = &[
    ("numerosta", &["puhelun", "puhelu", "puheluita", "soiton", "viestin", "tekstiviestin", "soitettiin", "soitti"]),
    ("from", &["called", "call", "calls", "text", "message", "sms", "rang", "phoned"]),
    ("från", &["samtal", "uppringd", "sms", "ringde", "samtalet"]),
    ("numbrilt", &["kõne", "helistati", "sõnumi", "helistas"]),
    ("von", &["anruf", "angerufen", "nachricht"]),
];

/// The writer called, he says.
pub static CALLED: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::of([
        "soitin",
        "soitimme",
        "soittelin",
        "soitettiin teille",
        "puhuttiin puhelimessa",
        "puhelimessa sovit*",
        "i called",
        "puheluun viitaten",
        "viitaten puheluun",
        "per my call",
        "puhelumme",
        "soittoni",
        "efter samtalet",
        "vårt samtal",
        "my call",
        "our call",
        "nach dem telefonat",
        "i just called",
        "i phoned",
        "i rang",
        "we called",
        "we rang",
        "we phoned",
        "we spoke",
        "on the phone",
        "jag ringde",
        "ringde nyss",
        "ringde igår",
        "ringde i morse",
        "enligt samtal",
        "per telefon",
        "helistasin",
        "helistasime",
        "habe angerufen",
        "hatte angerufen",
        "haben telefoniert",
        "am telefon",
        "wie telefonisch",
    ])
});

/// What is to be done; behind it the writer; behind it somebody else. Lower case.
pub static REACHED: &[(&[&str], &[&str], &[&str])] = &[
    (
        &["soita", "soittakaa", "soittaa", "tavoitat", "tavoitatte", "tavoittaa"],
        &["minulle", "mulle", "minut", "mut"],
        &["hänelle", "hänet", "heille"],
    ),
    (&["ring", "ringa", "nå", "når", "helst"], &["mig", "mej", "meg"], &["henne", "honom", "dem"]),
    (&["call", "ring", "phone", "reach", "text", "contact"], &["me"], &["him", "her", "them"]),
    (&["erreichen", "rufen", "anrufen", "sie"], &["mich"], &["ihn"]),
    (&["helistage", "helista", "tabate", "saab", "saate"], &["mulle", "mind"], &["talle", "teda"]),
];

/// Somebody can be reached, behind who that is. Lower case.
pub static REACHABLE: &[&str] =
    &["reached", "reachable", "contacted", "tavoitettavissa", "tavoitettavana", "anträffbar", "nås", "kättesaadav"];
/// What stands between the two.
pub static REACHABLE_BETWEEN: &[&str] =
    &["can", "could", "may", "be", "am", "best", "only", "kan", "är", "olen", "bin"];
/// Who it is when it is the writer.
pub static OURSELVES: &[&str] = &["i", "i'm", "we", "we're", "jag", "vi", "olen", "olemme", "oon", "ma", "mina", "me"];

/// Words before a name that is spoken to, not of. Lower case.
pub static GREETINGS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(
        "
        hei heippa moi moikka terve tervehdys huomenta päivää iltaa kiitos kiitoksia hyvä hej hejsan hallå tjena tack
        kära bäste bästa hi hello hey dear thanks thank you morning afternoon evening tere tervist aitäh tänan kallis
        salam salaam privet cześć
        hallo guten tag danke liebe lieber sehr geehrte geehrter terveisin terv t ystävällisin yt mvh hälsningar
        regards best cheers
        ",
    )
});

/// A flattened text without greetings and thanks to somebody who is written to once more: "hei taas", "thanks again".
pub fn without_greetings(flat: &str) -> Cow<'_, str> {
    static ONCE_MORE: LazyLock<Regex> = LazyLock::new(|| {
        let words = |list: &str| list.split_whitespace().map(regex::escape).collect::<Vec<_>>().join("|");
        let greetings = words(
            "hei heippa moi moikka terve huomenta päivää hej hejsan hallå tjena hello hi hey tere hallo moin servus
            kiitos kiitoksia tack thanks you aitäh tänan danke dank",
        );
        let again = words("taas jälleen igen again jälle taaskord wieder nochmal nochmals");
        #[expect(clippy::expect_used, reason = "plain words, escaped")]
        Regex::new(&format!(" (?:{greetings}) (?:{again}) ")).expect("a regular expression")
    });
    ONCE_MORE.replace_all(flat, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_compiles_and_is_in_its_form() {
        for (phrase, _) in CLOSINGS.values().flatten() {
            assert_eq!(*phrase, phrase.to_lowercase());
        }
    }
}
