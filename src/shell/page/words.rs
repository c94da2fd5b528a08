//! The words of the page, in the desk's language.

use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::{ClockKind, ClockState};
use crate::pure::domain::message::{Call, CallOutcome, Direction, Mark, Progress};
use crate::pure::domain::notice::NoticeKind;
use crate::pure::domain::outbox::{ClockView, NoticeView};
use crate::pure::domain::say::Language;
use jiff::tz::TimeZone;

/// What the page says that nothing is filled into.
pub(super) struct Words {
    pub(super) language: Language,
    pub(super) lang: &'static str,
    pub(super) ticket: &'static str,
    pub(super) people: &'static str,
    pub(super) nobody: &'static str,
    pub(super) somebody: &'static str,
    pub(super) one_because: &'static str,
    pub(super) suggestions: &'static str,
    pub(super) answers: &'static str,
    pub(super) no_suggestions: &'static str,
    pub(super) one_person: &'static str,
    pub(super) one_matter: &'static str,
    pub(super) accept: &'static str,
    pub(super) reject: &'static str,
    pub(super) only_read: &'static str,
    pub(super) accepted: &'static str,
    pub(super) rejected: &'static str,
    pub(super) timeline: &'static str,
    pub(super) to_begin: &'static str,
    pub(super) further: &'static str,
    pub(super) back: &'static str,
    pub(super) whole: &'static str,
    pub(super) forwarded_from: &'static str,
    pub(super) file: &'static str,
    pub(super) waiting: &'static str,
    pub(super) lost: &'static str,
    pub(super) recording: &'static str,
    pub(super) untitled: &'static str,
    pub(super) link_bad: (&'static str, &'static str),
    pub(super) link_expired: (&'static str, &'static str),
    pub(super) not_there: (&'static str, &'static str),
    pub(super) no_file: (&'static str, &'static str),
    pub(super) no_link: (&'static str, &'static str),
    pub(super) not_allowed: (&'static str, &'static str),
    pub(super) answered_otherwise: (&'static str, &'static str),
    pub(super) later: (&'static str, &'static str),
    pub(super) wrong: (&'static str, &'static str),
}

const FINNISH: Words = Words {
    language: Language::Finnish,
    lang: "fi",
    ticket: "Tiketti",
    people: "Osapuolet",
    nobody: "Kukaan ei ole vielä mukana.",
    somebody: "Nimetön",
    one_because: "Sama henkilö, koska:",
    suggestions: "Ehdotukset",
    answers: "Valmiit vastaukset",
    no_suggestions: "Mikään ehdotus ei odota vastausta.",
    one_person: "Onko tämä sama asiakas?",
    one_matter: "Onko tämä sama asia?",
    accept: "Hyväksy",
    reject: "Hylkää",
    only_read: "Tällä linkillä voi vain lukea.",
    accepted: "Hyväksytty: ne ovat nyt yksi.",
    rejected: "Hylätty: ne pidetään erillään.",
    timeline: "Aikajana",
    to_begin: "Alkuun",
    further: "Seuraavat viestit",
    back: "Takaisin tikettiin",
    whole: "Näytä koko viesti",
    forwarded_from: "Alkuperäinen lähettäjä:",
    file: "tiedosto",
    waiting: "haetaan vielä",
    lost: "ei saatavilla",
    recording: "Tallenne:",
    untitled: "Otsikoton",
    link_bad: ("Linkki ei toimi", "Linkki ei ole kokonainen, tai se on väärä. Kopioi se kokonaan tai pyydä uusi."),
    link_expired: ("Linkki on vanhentunut", "Pyydä uusi linkki siltä, jolta sait tämän."),
    not_there: ("Ei löydy", "Tällaista ei ole, tai linkki ei avaa sitä."),
    no_file: ("Tiedostoa ei ole", "Tiedosto ei ole täällä: sitä haetaan vielä, tai sitä ei saatu."),
    no_link: ("Tarvitset linkin", "Tämän sivun voi avata allekirjoitetulla linkillä tai rajapinnan avaimella."),
    not_allowed: ("Ei oikeutta", "Tällä linkillä tai avaimella ei voi tehdä tätä."),
    answered_otherwise: ("Ei muutettu", "Ehdotukseen on jo vastattu toisin, tai se ei ole enää mahdollinen."),
    later: ("Yritä hetken kuluttua uudelleen", "Palvelu on juuri nyt kiireinen tai tietokanta ei vastaa."),
    wrong: ("Pyyntö on virheellinen", "Avaa sivu uudelleen linkistä."),
};

const SWEDISH: Words = Words {
    language: Language::Swedish,
    lang: "sv",
    ticket: "Ärende",
    people: "Parter",
    nobody: "Ingen är med ännu.",
    somebody: "Utan namn",
    one_because: "Samma person, eftersom:",
    suggestions: "Förslag",
    answers: "Färdiga svar",
    no_suggestions: "Inget förslag väntar på svar.",
    one_person: "Är detta samma kund?",
    one_matter: "Är detta samma ärende?",
    accept: "Godkänn",
    reject: "Avvisa",
    only_read: "Med den här länken kan man bara läsa.",
    accepted: "Godkänt: de är nu ett.",
    rejected: "Avvisat: de hålls isär.",
    timeline: "Tidslinje",
    to_begin: "Till början",
    further: "Följande meddelanden",
    back: "Tillbaka till ärendet",
    whole: "Visa hela meddelandet",
    forwarded_from: "Ursprunglig avsändare:",
    file: "fil",
    waiting: "hämtas ännu",
    lost: "inte tillgänglig",
    recording: "Inspelning:",
    untitled: "Utan rubrik",
    link_bad: (
        "Länken fungerar inte",
        "Länken är inte hel, eller så är den fel. Kopiera hela länken eller be om en ny.",
    ),
    link_expired: ("Länken har gått ut", "Be om en ny länk av den som gav dig denna."),
    not_there: ("Finns inte", "Detta finns inte, eller så öppnar länken det inte."),
    no_file: ("Filen finns inte", "Filen är inte här: den hämtas ännu, eller så gick det inte att få den."),
    no_link: ("Du behöver en länk", "Sidan öppnas med en signerad länk eller med en nyckel till gränssnittet."),
    not_allowed: ("Inte tillåtet", "Detta kan inte göras med den här länken eller nyckeln."),
    answered_otherwise: ("Inget ändrades", "Förslaget är redan besvarat på annat sätt, eller inte längre möjligt."),
    later: ("Försök igen om en stund", "Tjänsten är upptagen just nu, eller så svarar databasen inte."),
    wrong: ("Begäran är felaktig", "Öppna sidan på nytt från länken."),
};

const ENGLISH: Words = Words {
    language: Language::English,
    lang: "en",
    ticket: "Ticket",
    people: "People",
    nobody: "Nobody takes part yet.",
    somebody: "Somebody without a name",
    one_because: "One person, because:",
    suggestions: "Suggestions",
    answers: "Ready answers",
    no_suggestions: "No suggestion waits for an answer.",
    one_person: "Is this the same customer?",
    one_matter: "Is this the same matter?",
    accept: "Accept",
    reject: "Reject",
    only_read: "With this link one can only read.",
    accepted: "Accepted: they are one now.",
    rejected: "Rejected: they are kept apart.",
    timeline: "Timeline",
    to_begin: "To the beginning",
    further: "Further messages",
    back: "Back to the ticket",
    whole: "Show the whole message",
    forwarded_from: "First sent by:",
    file: "file",
    waiting: "still being fetched",
    lost: "not available",
    recording: "Recording:",
    untitled: "Without a title",
    link_bad: ("The link does not work", "It is not whole, or wrong. Copy all of it, or ask for a new one."),
    link_expired: ("The link has expired", "Ask for a new one where you got this one."),
    not_there: ("Not found", "There is no such thing, or the link does not open it."),
    no_file: ("The file is not here", "It is still being fetched, or could not be had."),
    no_link: ("A link is needed", "This page opens with a signed link, or with a token of the API."),
    not_allowed: ("Not allowed", "This link or token cannot do that."),
    answered_otherwise: ("Nothing was changed", "The suggestion was answered otherwise, or is not possible any more."),
    later: ("Try again in a moment", "There is too much at once, or the database does not answer."),
    wrong: ("The request is wrong", "Open the page from its link again."),
};

/// One of three words.
fn of(language: Language, fi: &'static str, sv: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Finnish => fi,
        Language::Swedish => sv,
        Language::English => en,
    }
}

impl Words {
    /// Those of a language.
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::Finnish => &FINNISH,
            Language::Swedish => &SWEDISH,
            Language::English => &ENGLISH,
        }
    }

    fn say(&self, fi: &'static str, sv: &'static str, en: &'static str) -> &'static str {
        of(self.language, fi, sv, en)
    }

    /// A moment on the desk's clock.
    pub(super) fn moment(&self, at: Timestamp, zone: &TimeZone) -> String {
        let form = self.say("%-d.%-m.%Y klo %-H.%M", "%Y-%m-%d kl. %H.%M", "%Y-%m-%d %H:%M");
        at.to_zoned(zone.clone()).strftime(form).to_string()
    }

    /// Who has the ticket.
    pub(super) fn owned(&self, owner: &str) -> String {
        format!("{} {owner}", self.say("hoitaa", "sköts av", "with"))
    }

    /// Since when the desk waits for the customer.
    pub(super) fn awaited(&self, since: &str) -> String {
        format!("{} {since}", self.say("odottaa asiakasta", "väntar på kunden sedan", "waits for the customer since"))
    }

    /// The queue that the ticket is in.
    pub(super) fn queue(&self, queue: &str) -> String {
        format!("{} {queue}", self.say("jono", "kö", "queue"))
    }

    /// That many speak of the ticket's matter at once.
    pub(super) fn on_incident(&self, number: i64) -> String {
        format!("{} #{number}", self.say("laaja häiriö", "omfattande störning", "incident"))
    }

    /// That the customer comes again and again about it.
    pub(super) fn came_again(&self, times: i32, since: &str) -> String {
        match self.lang {
            "fi" => format!("{times}. yhteydenotto tästä, ensimmäinen {since}"),
            "sv" => format!("kontakt nummer {times} om detta sedan {since}"),
            _ => format!("contact number {times} about this since {since}"),
        }
    }

    /// A state, priority or kind of a ticket. What a later lanka knows is shown as it is.
    pub(super) fn fact(&self, word: &str) -> String {
        let known = match word {
            "open" => self.say("avoin", "öppet", "open"),
            "closed" => self.say("suljettu", "stängt", "closed"),
            "high" => self.say("kiireellinen", "brådskande", "high priority"),
            "normal" => self.say("tavallinen", "normal", "normal priority"),
            "low" => self.say("ei kiireellinen", "inte brådskande", "low priority"),
            "service" => self.say("palvelu", "tjänst", "service"),
            "problem" => self.say("pulma", "problem", "problem"),
            "own" => self.say("oma", "eget", "the customer's own"),
            "unclear" => self.say("epäselvä", "oklart", "unclear"),
            "hinders" => self.say("häiriö", "störning", "hinders"),
            "prevents" => self.say("vika", "fel", "prevents"),
            "complaint" => self.say("valitus", "klagomål", "complaint"),
            "wish" => self.say("toive", "önskemål", "wish"),
            "praise" => self.say("kiitos", "beröm", "praise"),
            "feedback" => self.say("palaute", "respons", "feedback"),
            other => return other.to_owned(),
        };
        known.to_owned()
    }

    /// What the customer was told, or was not.
    pub(super) fn notice(&self, notice: &NoticeView, zone: &TimeZone) -> String {
        let what = match notice.kind {
            NoticeKind::Acknowledged => self.say("viesti vastaanotettu", "meddelandet har tagits emot", "received"),
            NoticeKind::Taken => self.say("asia käsittelyssä", "ärendet behandlas", "being worked on"),
            NoticeKind::Awaited => self.say("odotamme vastausta", "vi väntar på svar", "we wait for an answer"),
            NoticeKind::Solved => self.say("asia hoidettu", "ärendet är klart", "done"),
        };
        let at = self.moment(notice.at, zone);
        match &notice.withheld {
            None => {
                format!("{} {at}: {what}", self.say("asiakkaalle kerrottu", "kunden har meddelats", "customer told"))
            }
            Some(code) => {
                let why = code.as_str();
                format!(
                    "{}: {what} ({why})",
                    self.say("asiakkaalle ei kerrottu", "kunden har inte meddelats", "customer not told")
                )
            }
        }
    }

    /// How a promise stands.
    pub(super) fn clock(&self, clock: &ClockView, zone: &TimeZone) -> String {
        let what = match clock.clock {
            ClockKind::FirstAnswer => self.say("ensimmäinen vastaus", "första svaret", "first answer"),
            ClockKind::NextAnswer => self.say("seuraava vastaus", "nästa svar", "next answer"),
            ClockKind::Solution => self.say("ratkaisu", "lösningen", "solution"),
        };
        let due = clock.due_at.map(|at| format!(" {}", self.moment(at, zone))).unwrap_or_default();
        let how = match (clock.state, clock.ended_at) {
            (ClockState::Paused, _) => {
                format!("{what}: {}", self.say("odottaa asiakasta", "väntar på kunden", "waiting for the customer"))
            }
            (ClockState::Met, _) => format!("{what}: {}", self.say("ajoissa", "i tid", "in time")),
            (ClockState::Running, _) => format!("{what}: {}{due}", self.say("viimeistään", "senast", "due")),
            (ClockState::Breached, None) => {
                format!(
                    "{what} {}{due}",
                    self.say("on myöhässä, määräaika oli", "dröjer, skulle ha kommit senast", "is late, was due")
                )
            }
            (ClockState::Breached, Some(_)) => {
                format!(
                    "{what} {}{due}",
                    self.say(
                        "tuli myöhässä, määräaika oli",
                        "kom för sent, skulle ha kommit senast",
                        "came late, was due"
                    )
                )
            }
        };
        let contract = clock.contract.iter().map(|name| format!("{} {name}", self.say("sopimus", "avtal", "contract")));
        let rule = clock.rule.iter().map(|name| format!("{} {name}", self.say("sääntö", "regel", "rule")));
        match contract.chain(rule).collect::<Vec<_>>().join(", ") {
            by if by.is_empty() => how,
            by => format!("{how} ({by})"),
        }
    }

    /// What kind of address a scheme is.
    pub(super) fn scheme(&self, scheme: &str) -> String {
        let known = match scheme {
            "mailto" => self.say("Sähköposti", "E-post", "E-mail"),
            "tel" => self.say("Puhelin", "Telefon", "Telephone"),
            other => return other.to_owned(),
        };
        known.to_owned()
    }

    /// Who spoke: before the name of the customer.
    pub(super) fn heading(&self, direction: Direction, is_note: bool) -> &'static str {
        match (direction, is_note) {
            (_, true) => self.say("Sisäinen muistiinpano:", "Intern anteckning:", "Internal note:"),
            (Direction::FromCustomer, _) => self.say("Asiakas:", "Kund:", "From:"),
            (Direction::FromAgent, _) => self.say("Asiakaspalvelu, vastaanottaja:", "Kundtjänst till:", "The desk to:"),
        }
    }

    /// What a mark means.
    pub(super) fn mark(&self, mark: Mark) -> &'static str {
        match mark {
            Mark::Unverified => {
                self.say("lähettäjää ei ole varmistettu", "avsändaren är inte verifierad", "sender not verified")
            }
            Mark::Contradicted => self.say(
                "lähettäjän verkkotunnus kieltää viestin",
                "avsändarens domän förnekar meddelandet",
                "denied by the sender's domain",
            ),
            Mark::MessageIdReused => {
                self.say("toisen viestin tunnus", "ett annat meddelandes id", "another message's id")
            }
            Mark::Unsupported => {
                self.say("tuntematon viestityyppi", "okänd typ av meddelande", "unknown type of message")
            }
            Mark::Truncated => self.say("teksti on katkaistu", "texten är avkortad", "text cut off"),
            Mark::PartsDropped => self.say("osia on jätetty pois", "delar har utelämnats", "parts left out"),
            Mark::DateDoubtful => self.say("päiväys on epäluotettava", "datumet är osäkert", "date doubtful"),
            Mark::SeveralSenders => self.say("monta lähettäjää", "flera avsändare", "several senders"),
            Mark::Forwarded => self.say("edelleen lähetetty", "vidarebefordrat", "forwarded"),
            Mark::CallBack => self.say("soitettava takaisin", "ska ringas upp", "to be called back"),
            Mark::Unaligned => self.say(
                "toisen verkkotunnuksen allekirjoittama",
                "undertecknat av en annan domän",
                "signed by another domain",
            ),
            Mark::Lookalike => {
                self.say("verkkotunnus jäljittelee omaamme", "domänen liknar vår egen", "domain imitates ours")
            }
            Mark::Unchecked => self.say("lähettäjää tarkistetaan", "avsändaren kontrolleras", "sender being checked"),
            Mark::Internal => self.say("vain henkilökunnalle", "endast för personalen", "for colleagues only"),
            Mark::NotOwner => self.say(
                "soittaja ei ollut numeron haltija",
                "den som ringde var inte numrets ägare",
                "caller was not the number's owner",
            ),
            Mark::Erased => self.say("poistettu", "raderat", "erased"),
            Mark::Automatic => self.say(
                "ohjelman kirjoittama, ei lähetetty asiakkaalle",
                "skrivet av ett program, inte skickat till kunden",
                "written by a program, not sent to the customer",
            ),
        }
    }

    /// How far it came.
    pub(super) fn progress(&self, progress: Progress) -> &'static str {
        match progress {
            Progress::Sent => self.say("Lähetetty", "Skickat", "Sent"),
            Progress::Failed => self.say("Ei voitu toimittaa", "Kunde inte levereras", "Not delivered"),
            Progress::Delivered => self.say("Toimitettu perille", "Levererat", "Delivered"),
            Progress::Read => self.say("Luettu", "Läst", "Read"),
            Progress::Played => self.say("Kuunneltu", "Avlyssnat", "Listened to"),
        }
    }

    /// A call in one line.
    pub(super) fn call(&self, call: &Call) -> String {
        let outcome = match call.outcome {
            CallOutcome::Failed => self.say("Puhelu ei yhdistynyt", "Samtalet kopplades inte", "Call failed"),
            CallOutcome::Busy => self.say("Varattu", "Upptaget", "Busy"),
            CallOutcome::Missed => self.say("Vastaamaton puhelu", "Missat samtal", "Missed call"),
            CallOutcome::Voicemail => self.say("Vastaaja", "Telefonsvarare", "Voicemail"),
            CallOutcome::Answered => self.say("Puhelu", "Samtal", "Call"),
        };
        let (minutes, seconds) = (call.talk_s / 60, call.talk_s % 60);
        let talk = match call.talk_s {
            0 => String::new(),
            _ => format!(", {} {minutes} min {seconds} s", self.say("puhetta", "samtalstid", "talk")),
        };
        let at = match call.answered_by.as_str() {
            "" => String::new(),
            at => format!(", {} {at}", self.say("vastasi", "svarade", "answered at")),
        };
        format!("{outcome}{talk}{at}")
    }

    /// How many messages there are.
    pub(super) fn counted(&self, count: i64) -> String {
        match count {
            1 => self.say("1 viesti", "1 meddelande", "1 message").to_owned(),
            _ => format!("{count} {}", self.say("viestiä", "meddelanden", "messages")),
        }
    }

    /// Until when a link is good.
    pub(super) fn good_until(&self, at: &str) -> String {
        format!("{} {at}", self.say("Linkki on voimassa", "Länken gäller till", "The link is good until"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_it_in_its_own_words() {
        let at: Timestamp = "2026-03-03T08:05:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let moments = Language::ALL.map(|language| Words::of(language).moment(at, &zone));
        assert_eq!(moments, ["3.3.2026 klo 10.05", "2026-03-03 kl. 10.05", "2026-03-03 10:05"]);
        for word in ["open", "closed", "high", "low", "service", "feedback"] {
            let said = Language::ALL.map(|language| Words::of(language).fact(word));
            assert!(said[0] != said[1] && said[1] != said[2], "{said:?}");
        }
        assert_eq!(Words::of(Language::Finnish).fact("of_tomorrow"), "of_tomorrow");
        let late = ClockView {
            clock: ClockKind::FirstAnswer,
            round: 1,
            state: ClockState::Breached,
            started_at: at,
            target_s: 1_800,
            worked_s: None,
            due_at: Some(at),
            warn_at: None,
            paused_since: None,
            ended_at: None,
            channel: None,
            rule: None,
            contract: None,
        };
        let of_contract =
            ClockView { contract: Some("gold".to_owned()), rule: Some("rest".to_owned()), ..late.clone() };
        let said = Words::of(Language::Finnish).clock(&of_contract, &zone);
        assert!(said.ends_with("3.3.2026 klo 10.05 (sopimus gold, sääntö rest)"), "{said}");
        for (state, ended_at, expected) in [
            (ClockState::Breached, None, "ensimmäinen vastaus on myöhässä, määräaika oli 3.3.2026 klo 10.05"),
            (ClockState::Breached, Some(at), "ensimmäinen vastaus tuli myöhässä, määräaika oli 3.3.2026 klo 10.05"),
            (ClockState::Running, None, "ensimmäinen vastaus: viimeistään 3.3.2026 klo 10.05"),
            (ClockState::Paused, None, "ensimmäinen vastaus: odottaa asiakasta"),
            (ClockState::Met, Some(at), "ensimmäinen vastaus: ajoissa"),
        ] {
            let clock = ClockView { state, ended_at, ..late.clone() };
            let said = Language::ALL.map(|language| Words::of(language).clock(&clock, &zone));
            assert!(said[0] == expected && said[0] != said[1] && said[1] != said[2], "{said:?}");
        }
        for language in Language::ALL {
            assert_eq!(Words::of(language).lang, language.code());
        }
    }
}
