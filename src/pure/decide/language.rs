//! A text → the language it is written in, or that nobody can tell.
//!
//! Common words of each language are counted, and endings that only one has. A text is of the language that leads
//! clearly; where two are near each other, or next to nothing is known, there is no answer, and whoever asks takes the
//! desk's first language.
//!
//! **Invariant:** a function of the words alone. A wrong answer does more harm than none: a line of greetings, numbers
//! and names has no language.

use std::collections::HashMap;
use std::sync::LazyLock;

/// As much of a text is read, characters: what comes after tells nothing new.
const CHARS_MAX: usize = 4_000;

/// A word that one language has.
const OWN: u32 = 4;
/// A word that two languages have.
const SHARED: u32 = 2;
/// An ending or a letter that one language has; a word that is said everywhere.
const HINT: u32 = 1;

/// Points that a text needs at least: a word of its own.
const POINTS_MIN: u32 = 4;
/// The leader has so many times the points of the next one, in tenths.
const LEAD_TENTHS: u32 = 18;
/// Points for ten words that a text needs: in a language that is not known, chance words are fewer.
const POINTS_PER_TEN_WORDS: u32 = 8;

/// Common words of a language.
struct Common {
    code: &'static str,
    /// Words that tell.
    words: &'static str,
    /// Words that others borrow: they tell little.
    borrowed: &'static str,
    /// Endings of longer words that no other language here has.
    endings: &'static str,
}

const LANGUAGES: [Common; 10] = [
    Common {
        code: "fi",
        words: "vaikka lainkaan ollenkaan tilausnumero tilausnumeroni tuote tuotteen tuotetta ohje ohjeen ohjetta ja on ei en et emme ette eivät se ne sen sitä sille siitä tämä tämän tätä tähän tässä tästä nämä nuo
            minä mä mun mulla mulle mua minun minulla minulle minulta minut sinä sä sun sulla teidän teillä teille te
            me meidän meillä meille he heidän hän hänen että jos kun koska kuin mutta vaan vai tai eli sekä myös vielä
            nyt sitten jo vain aina taas edelleen enää mitä mikä mitään missä mistä mihin miten milloin miksi kuka
            kenen kuinka paljonko montako voi voin voiko voitko voisiko voisitko voitteko voisitteko voidaanko saa saan
            saako saisiko saisin saanko pääse pääsen haluan haluaisin haluamme pitää pitäisi pitäisikö täytyy olen olet oli olin
            ole olla olisi olisiko olemme ovat onko onks oon oonko eikö ollut olleet tulee tuli tullut tule toimi
            toimii toiminut toimita lasku laskun laskua laskut laskussa laskulla tilaus tilauksen tilausta tilaukseni
            netti nettiyhteys yhteys liittymä liittymän toimitus toimituksen paketti paketin palautus palauttaa
            palautan salasana salasanaa salasanan tunnus tunnukset kirjautua kirjautuminen peruuttaa irtisanoa
            sopimus sopimuksen muuttaa vaihtaa kiitos kiitoksia kiitti kiitän terveisin ystävällisin huomenta iltaa
            päivää hyvää hei moi moikka tervetuloa apua auttaa neuvoa tarvitsen tarvitsemme tarvitaan kertoa tietoa
            asia asiaa asian asiassa joku jotain jotakin joka jotka jonka joita johon kaikki kaikkia meni mennyt
            menee minkä takia vuoksi mukaan kanssa ilman ennen jälkeen asti alkaen viime ensi tänään huomenna eilen
            aamulla illalla viikko viikkoa viikon päivä päivän kuukausi pari monta liian hyvin oikein väärin väärä
            väärän rikki hajalla jumissa hidas hitaasti missään pois päälle takaisin uusi uuden uutta vanha saatu
            saanut saapunut maksaa maksettu maksoin maksanut hinta paljon vähän kiireellinen kiire hetki juuri ihan
            siis kyllä joo juu niin näin siinä siellä täällä tuolla sinne tänne tuo tuon nopeasti mahdollista
            mahdollisimman pian kohta yhä numero numeroa osoite osoitteen auki kiinni aukioloajat",
        borrowed: "terve ok",
        endings: "ssa ssä lla llä lta ltä stä lle ksi ttä mme nsä sti nut nyt eet iin ään öön yyn uun kään kaan kö
            kin vät isen iset isia isiä iden maan mään uksen uksia ykset ukset",
    },
    Common {
        code: "sv",
        words: "och är att det jag du vi ni han hon inte som på för med till av om men eller har hade kan kunde ska
            skulle vill måste får fick blir blev var vad när hur varför vilken vilket vilka där här den de dem dom er
            ert era vår vårt våra min mitt mina din ditt dina sin sitt sina mig dig sig oss från efter innan under över
            utan mot hos mellan sedan också bara nu redan igen fortfarande ännu alltid aldrig inget ingen inga något
            någon några mycket mer mest bättre lite många alla allt detta denna dessa finns fungerar funkar fungerat
            behöver faktura fakturan fakturor beställning beställningen beställt leverans leveransen paket paketet
            lösenord lösenordet logga inloggning konto kontot abonnemang abonnemanget avtal avtalet betala betalat
            betalning betalningen skicka skickat skickade fått kommit kommer komma gjort göra gör veta vet hjälpa hjälp
            tack välkommen tacksam hälsningar vänliga vänlig mvh hejsan tjena tjenare god morgon kväll snälla varit vara blivit
            ändra byta säga upp avsluta returnera tillbaka trasig trasigt sönder långsamt långsam nät nätet
            internetuppkoppling uppkopplingen senast idag imorgon igår vecka veckan veckor dag dagar dagen månad
            månaden kronor fel rätt kvar bort än så ju väl nog tyvärr gärna genast snarast möjligt båda hela samma
            annan annat andra ny nytt nya gammal gång gånger öppet öppettider adress adressen nummer numret",
        borrowed: "hej hallå ok okej problem",
        endings: "ningen ningar ningarna arna orna erna ligt skt heten ande ades ats tt",
    },
    Common {
        code: "en",
        words: "the and is are was were be been being of to for with that this these those it its you your yours we
            our us they them their he his she her my mine me not no don't doesn't didn't isn't can't cannot won't
            haven't hasn't i'm i've i'd it's can could would should will shall may might must have has had having do
            does did done what when where why who which how if then than but or because so as at by from on up out
            about into over after before again still just only also very more most some any all both each other
            another such there here now already yet never always get got getting give gave need needs needed want
            wanted like know knows think please help thank thanks invoice invoices bill order ordered orders delivery
            delivered package parcel password account login log subscription contract cancel return refund change
            changed working works work broken slow down internet connection issue since today tomorrow
            yesterday week weeks day days month months charged charge paid pay payment received receive arrived
            sent send wrong twice long much many time times open opening hours address number new old really
            anything something nothing someone anyone everything however regards sincerely dear asap soon possible
            been waiting checked seems same wondering could let welcome",
        borrowed: "hello hi hey sorry ok okay service support chat login error problem",
        endings: "tly lly ely ously edly ness ful tely ying ting ling sing king ving ring",
    },
    Common {
        code: "et",
        words: "ja on ei see seda selle mis mida kuidas kas kui aga või ning ma mul mulle minu sa sul te teil teie me
            meil meie nad nende oli olen oled oleme olla pole ole saan saab saaks saaksite palun aitäh tänan tere
            tervist arve arvet arve tellimus tellimuse tellimust pakk paki tarne parool parooli konto leping lepingu
            kust kus millal miks kes veel juba nüüd siis väga palju kõik midagi keegi tahan tahaksin soovin sooviksin
            vaja tööta töötab töötanud internet probleem täna homme eile päev päeva nädal nädalat kuu raha tagasi
            vahetada muuta tühistada abi aidata järgi pärast enne ilma koos kohta jaoks ka ainult",
        borrowed: "",
        endings: "sse tud dud misest mise saks ksin",
    },
    Common {
        code: "da",
        words: "og er det jeg ikke du vi af til med på for at en et som har kan kunne skal skulle vil hvad hvor
            hvordan hvornår hvorfor hvem mig dig os jer min mit mine din dit noget nogen meget mere også nu igen
            stadig allerede fra efter uden hos være været blev bliver få fået fik regning regningen faktura ordre
            bestilling bestillingen levering pakke adgangskode konto abonnement tak hilsen venlig virker hjælp hjælpe
            tilbage i dag morgen uge uger dage måned penge betale betalt forkert gerne eller men hvis så der her den
            de dem deres vores",
        borrowed: "hej",
        endings: "",
    },
    Common {
        code: "no",
        words: "og er det jeg ikke du vi av til med på for at en et som har kan kunne skal skulle vil hva hvor
            hvordan når hvorfor hvem meg deg oss dere min mitt mine din ditt noe noen mye mer også nå igjen fortsatt
            allerede fra etter uten hos være vært ble blir få fått fikk regning regningen faktura ordre bestilling
            bestillingen levering pakke passord konto abonnement takk hilsen vennlig virker fungerer hjelp hjelpe
            tilbake i dag morgen uke uker dager måned penger betale betalt feil gjerne eller men hvis så der her den
            de dem deres våre",
        borrowed: "hei",
        endings: "",
    },
    Common {
        code: "de",
        words: "der die das und ist sind war nicht ich du wir ihr sie er es ein eine einen einem einer mein meine
            meinen meiner ihre ihren unser unsere mit von für auf zu zum zur bei nach aus über unter vor ohne gegen
            durch an am im um als wie was wann wo warum wer welche wenn dass ob aber oder weil denn noch schon
            immer wieder nur auch sehr mehr kein keine keinen habe haben hat hatte kann können könnte könnten möchte
            muss müssen soll sollte wird werden wurde bin bitte danke rechnung bestellung lieferung paket passwort
            konto vertrag kündigen zurück funktioniert geht heute morgen gestern woche wochen tage tagen monat
            bezahlt falsch hilfe helfen guten tag grüße freundlichen",
        borrowed: "hallo",
        endings: "ungen keit lich lichen",
    },
    Common {
        code: "nl",
        words: "de het een en van ik je jij u wij we zij ze niet is zijn was waren heb heeft hebben had kan kunnen
            kunt wil willen moet moeten zal zou met voor op aan bij naar uit over onder zonder tegen door als dan dat
            dit deze die wat wanneer waar waarom wie welke maar of omdat nog al altijd weer alleen ook zeer meer geen
            mijn uw ons onze factuur bestelling levering pakket wachtwoord rekening abonnement opzeggen terug werkt
            vandaag morgen gisteren week weken dagen maand betaald verkeerd hulp graag bedankt dank groet groeten",
        borrowed: "hallo",
        endings: "ingen heid lijk lijke",
    },
    Common {
        code: "fr",
        words: "le la les un une des du de et est sont pas ne je tu il elle nous vous ils mon ma mes votre vos notre
            nos avec pour sur dans par sans mais ou où que qui quoi quand comment pourquoi si ce cette ces bonjour
            merci facture commande livraison colis passe compte abonnement contrat aide aider fonctionne marche
            aujourd'hui demain hier semaine jours mois encore toujours déjà très plus aussi été ai avez avons pouvez
            voudrais cordialement reçu payé",
        borrowed: "",
        endings: "ment eux",
    },
    Common {
        code: "es",
        words: "el la los las un una unos y es son no yo tú él ella nosotros ustedes mi mis su sus nuestro con para
            por sobre en sin pero o que quién cuándo cómo dónde porque si este esta estos hola gracias factura
            pedido entrega paquete contraseña cuenta contrato ayuda ayudar funciona hoy mañana ayer semana días mes
            todavía siempre ya muy más también he ha han puede pueden quiero quisiera saludos recibido pagado del al",
        borrowed: "",
        endings: "ción ado idad",
    },
];

/// Letters that hardly stand in another language here than these.
const LETTERS: [(&str, &str); 13] = [
    ("å", "sv da no"),
    ("ø", "da no"),
    ("æ", "da no"),
    ("õ", "et"),
    ("ß", "de"),
    ("ñ", "es"),
    ("ç", "fr"),
    ("è", "fr"),
    ("ää", "fi et"),
    ("öö", "fi et"),
    ("yy", "fi"),
    ("uo", "fi"),
    ("yö", "fi"),
];

/// Shortest word whose ending tells.
const ENDED_CHARS_MIN: usize = 6;

/// What a word says: points for languages, by their place in [`LANGUAGES`].
static WORDS: LazyLock<HashMap<&'static str, Vec<(usize, u32)>>> = LazyLock::new(|| {
    let mut words: HashMap<&'static str, Vec<(usize, u32)>> = HashMap::new();
    for (at, common) in LANGUAGES.iter().enumerate() {
        for word in common.words.split_whitespace() {
            let said = words.entry(word).or_default();
            if !said.iter().any(|(known, _)| *known == at) {
                said.push((at, OWN));
            }
        }
    }
    for said in words.values_mut() {
        let points = match said.len() {
            1 => OWN,
            2 => SHARED,
            _ => HINT,
        };
        said.iter_mut().for_each(|(_, each)| *each = points);
    }
    for (at, common) in LANGUAGES.iter().enumerate() {
        for word in common.borrowed.split_whitespace() {
            words.entry(word).or_default().push((at, HINT));
        }
    }
    words
});

/// The language of a text, as its code (ISO 639-1): one that lanka speaks, or a neighbour's. `None` when nobody can
/// tell.
pub fn language(text: &str) -> Option<&'static str> {
    let flat: String = text.chars().take(CHARS_MAX).collect::<String>().to_lowercase();
    let mut points = [0_u32; LANGUAGES.len()];
    let (mut count, mut cyrillic) = (0_u32, 0_u32);
    for word in words(&flat) {
        count += 1;
        cyrillic += u32::from(word.chars().all(|c| matches!(c, '\u{400}'..='\u{52f}')));
        weigh(word, &mut points);
    }
    if count > 1 && cyrillic * 2 > count {
        let is_ukrainian = flat.contains(['і', 'ї', 'є', 'ґ']);
        return Some(if is_ukrainian { "uk" } else { "ru" });
    }
    let (best, most) = points.iter().enumerate().max_by_key(|(at, points)| (**points, LANGUAGES.len() - at))?;
    let next = points.iter().enumerate().filter(|(at, _)| *at != best).map(|(_, points)| *points).max()?;
    let leads = *most * 10 >= next * LEAD_TENTHS && *most > next;
    let is_known = *most >= POINTS_MIN && *most * 10 >= count * POINTS_PER_TEN_WORDS;
    (leads && is_known).then(|| LANGUAGES[best].code)
}

/// The words of a text in lower case: what has a digit, and addresses, are none.
fn words(flat: &str) -> impl Iterator<Item = &str> {
    let parts = flat.split_whitespace().filter(|part| !part.contains(['@', '/', '\\', '_']) && !part.contains("www."));
    let words = parts.flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’'));
    words
        .map(|word| word.trim_matches(['\'', '’']))
        .filter(|word| word.chars().nth(1).is_some() && !word.chars().any(char::is_numeric))
}

/// Adds what a word says.
fn weigh(word: &str, points: &mut [u32; LANGUAGES.len()]) {
    let plain = word.replace('’', "'");
    if let Some(said) = WORDS.get(plain.as_str()) {
        said.iter().for_each(|(at, each)| points[*at] += each);
        return;
    }
    let is_long = word.chars().nth(ENDED_CHARS_MIN - 1).is_some();
    for (at, common) in LANGUAGES.iter().enumerate() {
        let has_letter =
            LETTERS.iter().any(|(letter, of)| word.contains(letter) && of.split(' ').any(|code| code == common.code));
        let is_ended = is_long && common.endings.split_whitespace().any(|ending| word.ends_with(ending));
        points[at] += HINT * (u32::from(has_letter) + u32::from(is_ended));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of them were written after the lists, and changed nothing there but what is said in the commit.
    const TABLE: &[(&str, Option<&str>)] = &[
        // Short lines of chats.
        ("netti ei toimi", Some("fi")),
        ("Moi, missä mun paketti on?", Some("fi")),
        ("voiko tilauksen perua", Some("fi")),
        ("en pääse kirjautumaan", Some("fi")),
        ("laskussa virhe", Some("fi")),
        ("Onks teillä auki lauantaina?", Some("fi")),
        ("kiitos avusta!", Some("fi")),
        ("var är mitt paket?", Some("sv")),
        ("nätet funkar inte", Some("sv")),
        ("Hej, jag har glömt mitt lösenord", Some("sv")),
        ("kan ni skicka fakturan på nytt", Some("sv")),
        ("tack för hjälpen", Some("sv")),
        ("where is my parcel", Some("en")),
        ("internet is down again", Some("en")),
        ("can't log in", Some("en")),
        ("how do I cancel?", Some("en")),
        ("thank you!", Some("en")),
        // Longer.
        (
            "Hei, tilasin teiltä kaksi viikkoa sitten lampun, eikä sitä ole vieläkään toimitettu. Tilausnumero on \
             40223344. Milloin se tulee? Terveisin Minna Virtanen",
            Some("fi"),
        ),
        (
            "Hej! Vi beställde ny router i förra veckan men den har inte kommit fram. Ordernummer 40223344. Med vänliga \
             hälsningar, Åsa Lindström, Helsinki",
            Some("sv"),
        ),
        (
            "Hello, I ordered a lamp two weeks ago and it has not arrived. My order number is 40223344. Kind regards, \
             Väinö Hämäläinen",
            Some("en"),
        ),
        ("Tere, minu tellimus ei ole veel kohale jõudnud. Millal see tuleb? Aitäh", Some("et")),
        ("Guten Tag, meine Bestellung ist noch nicht angekommen. Wann wird sie geliefert?", Some("de")),
        ("Hei, jeg har ikke fått pakken min ennå. Når kommer den? Takk", Some("no")),
        ("Hej, jeg har ikke fået min pakke endnu. Hvornår kommer den? Tak", Some("da")),
        ("Goedendag, ik heb mijn bestelling nog niet ontvangen. Wanneer wordt het geleverd?", Some("nl")),
        ("Bonjour, je n'ai pas encore reçu ma commande. Pouvez-vous m'aider ?", Some("fr")),
        ("Hola, todavía no he recibido mi pedido. ¿Cuándo llega?", Some("es")),
        ("Здравствуйте, когда придёт мой заказ?", Some("ru")),
        ("Добрий день, коли прийде моє замовлення? Дякую, мені потрібна відповідь", Some("uk")),
        // Code switching: the language of the sentence, not of its loans.
        ("Moi! Mulla on subscription mutta login ei toimi, tulee error 403", Some("fi")),
        ("Hej, vi har problem med login på vår server, får bara timeout error hela tiden", Some("sv")),
        ("Hi, the Omaveroni page tells me that my tilaus is cancelled, why?", Some("en")),
        ("Meidän Teams ja Outlook on ihan jumissa, service desk auttakaa", Some("fi")),
        // Both: nobody can tell.
        ("Hei, lasku on väärin. Hej, fakturan är fel.", None),
        ("Tervetuloa! Välkommen! Welcome!", None),
        // Nothing that tells.
        ("", None),
        ("ok", None),
        ("Hej", None),
        ("hello", None),
        ("40223344", None),
        ("Virtanen Minna", None),
        ("?!? :)", None),
        ("RE: 12345 / ABC-99", None),
        ("https://www.example.fi/the/and/is minna.the@example.fi", None),
        ("Dzień dobry, moja paczka nie dotarła, proszę o pomoc w tej sprawie, numer jest w załączniku", None),
        ("Labas, mano siunta dar neatvyko, prašau padėti kuo greičiau", None),
        ("请问我的包裹在哪里", None),
    ];

    #[test]
    fn a_text_is_of_the_language_that_leads_clearly() {
        let wrong: Vec<String> = TABLE
            .iter()
            .filter(|(text, expected)| language(text) != *expected)
            .map(|(text, expected)| format!("{text}: {:?}, not {expected:?}", language(text)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_text_of_any_length_is_read_in_bounds() {
        let long = "tilaus ei ole tullut ".repeat(100_000);
        assert_eq!(language(&long), Some("fi"));
        assert_eq!(language(&"x".repeat(5_000_000)), None);
    }
}
