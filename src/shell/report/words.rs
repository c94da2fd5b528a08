//! The words of reports and letters, and how they write times.

use crate::pure::domain::Timestamp;
use crate::pure::domain::dust::DustKind;
use crate::pure::domain::period::Period;
use crate::pure::domain::say::Language;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What is said, by its name: in English, Finnish and Swedish.
const WORDS: &[(&str, [&str; 3])] = &[
    ("report", ["Report", "Raportti", "Rapport"]),
    ("all_customers", ["all customers", "kaikki asiakkaat", "alla kunder"]),
    ("as_of", ["As things stood", "Tilanne", "Läget"]),
    ("tickets", ["Tickets", "Tiketit", "Ärenden"]),
    ("before", ["the period before", "edellinen jakso", "föregående period"]),
    ("closed", ["Closed", "Suljettu", "Stängda"]),
    ("open", ["Open", "Avoinna", "Öppna"]),
    ("came_again", ["Came again about it", "Sama asia uudelleen", "Återkom i samma sak"]),
    ("kept", ["Promises kept", "Lupauksista pidetty", "Hållna löften"]),
    ("over_time", ["Tickets over time", "Tiketit ajassa", "Ärenden över tid"]),
    ("of_them_problems", ["of them problems", "niistä pulmia", "varav problem"]),
    ("by_kind", ["By kind", "Lajeittain", "Efter slag"]),
    ("by_problem", ["Problems", "Pulmat", "Problem"]),
    ("by_priority", ["By urgency", "Kiireellisyyden mukaan", "Efter brådska"]),
    ("by_channel", ["By channel", "Kanavittain", "Efter kanal"]),
    ("by_feedback", ["Feedback", "Palautteet", "Återkoppling"]),
    ("by_customer", ["By customer", "Asiakkaittain", "Efter kund"]),
    ("kind", ["Kind", "Laji", "Slag"]),
    ("priority", ["Urgency", "Kiireellisyys", "Brådska"]),
    ("channel", ["Channel", "Kanava", "Kanal"]),
    ("customer", ["Customer", "Asiakas", "Kund"]),
    ("private", ["private and unknown", "yksityiset ja tuntemattomat", "privata och okända"]),
    ("problems", ["Problems", "Pulmia", "Problem"]),
    ("service", ["service", "palvelu", "tjänst"]),
    ("problem", ["problem", "pulma", "problem"]),
    ("feedback", ["feedback", "palaute", "återkoppling"]),
    ("none", ["none of these", "ei mikään näistä", "inget av dessa"]),
    ("prevents", ["fault, prevents", "vika, estää", "fel, hindrar helt"]),
    ("hinders", ["fault, hinders", "vika, haittaa", "fel, stör"]),
    ("unclear", ["unclear", "epäselvä", "oklart"]),
    ("own", ["the customer's own", "asiakkaan oma", "kundens eget"]),
    ("complaint", ["complaint", "moite", "klagomål"]),
    ("wish", ["wish", "toive", "önskemål"]),
    ("praise", ["praise", "kiitos", "beröm"]),
    ("high", ["high", "kiireellinen", "brådskande"]),
    ("normal", ["normal", "tavallinen", "normal"]),
    ("low", ["low", "ei kiireellinen", "låg"]),
    ("promises", ["Times against promises", "Ajat lupauksiin nähden", "Tider mot löften"]),
    ("promise", ["Promise", "Lupaus", "Löfte"]),
    ("first_answer", ["first answer", "ensimmäinen vastaus", "första svaret"]),
    ("next_answer", ["further answers", "seuraavat vastaukset", "följande svar"]),
    ("solution", ["solution", "ratkaisu", "lösning"]),
    ("made", ["Made", "Annettu", "Givna"]),
    ("met", ["Kept", "Pidetty", "Hållna"]),
    ("breached", ["Broken", "Rikottu", "Brutna"]),
    ("running", ["Running", "Kesken", "Pågår"]),
    ("paused", ["Waiting for customer", "Odottaa asiakasta", "Väntar på kund"]),
    ("target", ["Target", "Tavoite", "Mål"]),
    ("median", ["Median", "Mediaani", "Median"]),
    ("p90", ["90 %", "90 %", "90 %"]),
    (
        "service_time",
        [
            "Service time of what is done; nights and holidays do not count.",
            "Palveluaikaa, valmiista; yöt ja pyhät eivät kulu.",
            "Servicetid för det som är klart; nätter och helger räknas inte.",
        ],
    ),
    ("waits", ["Times by the clock", "Ajat kellon mukaan", "Tider enligt klockan"]),
    ("done", ["Done", "Valmiina", "Klara"]),
    ("breaches", ["Promises not kept", "Rikotut lupaukset", "Brutna löften"]),
    ("ticket", ["Ticket", "Tiketti", "Ärende"]),
    ("title", ["Title", "Otsikko", "Rubrik"]),
    ("due", ["Due", "Määräaika", "Skulle ske"]),
    ("over", ["Over by", "Ylitys", "Överskridet"]),
    ("not_done", ["not done yet", "ei vielä tehty", "inte gjort ännu"]),
    ("owner", ["Who has it", "Kenellä", "Hos"]),
    ("subjects", ["What recurs", "Mikä toistuu", "Vad som återkommer"]),
    ("subject", ["Subject", "Aihe", "Ämne"]),
    ("customers", ["Customers", "Asiakkaita", "Kunder"]),
    ("incidents", ["Incidents", "Häiriöt", "Störningar"]),
    ("incident", ["Incident", "Häiriö", "Störning"]),
    ("began", ["Began", "Alkoi", "Började"]),
    ("ended", ["Over", "Päättyi", "Över"]),
    ("still", ["goes on", "jatkuu", "pågår"]),
    ("feedbacks", ["What customers think", "Mitä asiakkaat ajattelevat", "Vad kunderna tycker"]),
    ("when", ["When", "Milloin", "När"]),
    ("nothing", ["Nothing.", "Ei mitään.", "Inget."]),
    ("and_more", ["and more", "ja lisää", "och fler"]),
    ("days", ["d", "vrk", "d"]),
    (
        "counted",
        [
            "Counted are tickets on which a customer first said something within the period, and promises that began in it, as they stand now.",
            "Laskettu ovat tiketit, joissa asiakas sanoi jotain ensi kerran jakson aikana, ja silloin alkaneet lupaukset, niin kuin ne nyt ovat.",
            "Räknade är ärenden där en kund först sade något under perioden, och löften som började då, så som de nu är.",
        ],
    ),
    ("dust", ["Dust", "Pölyttyy", "Damm"]),
    (
        "dust_is",
        [
            "What nobody has looked at, the oldest first.",
            "Mihin kukaan ei ole katsonut, vanhin ensin.",
            "Vad ingen har sett på, det äldsta först.",
        ],
    ),
    ("silent", ["silent", "hiljaista", "tysta"]),
    ("unanswered", ["unanswered", "vastaamatta", "obesvarade"]),
    ("orphaned", ["orphaned", "omistaja poissa", "ägaren borta"]),
    ("call", ["calls not returned", "soittamatta takaisin", "samtal att returnera"]),
    ("suggestion", ["suggestions", "ehdotusta", "förslag"]),
    ("quarantine", ["in quarantine", "karanteenissa", "i karantän"]),
    (
        "do_silent",
        [
            "Say or do something on it, or close it.",
            "Sano tai tee jotain, tai sulje.",
            "Säg eller gör något, eller stäng.",
        ],
    ),
    ("do_unanswered", ["Answer the customer.", "Vastaa asiakkaalle.", "Svara kunden."]),
    (
        "do_orphaned",
        [
            "Give it to somebody who is there.",
            "Anna jollekulle, joka on paikalla.",
            "Ge det till någon som är på plats.",
        ],
    ),
    ("do_call", ["Call back.", "Soita takaisin.", "Ring upp."]),
    (
        "do_suggestion",
        [
            "Accept or reject it: lanka review list.",
            "Hyväksy tai hylkää: lanka review list.",
            "Godkänn eller avslå: lanka review list.",
        ],
    ),
    (
        "do_quarantine",
        ["Look at it: lanka quarantine list.", "Katso: lanka quarantine list.", "Se på det: lanka quarantine list."],
    ),
    ("attached", ["The whole report is attached.", "Koko raportti on liitteenä.", "Hela rapporten är bifogad."]),
];

/// A word of a report by its name; what has no name (a channel) is said as it is.
pub fn say(language: Language, name: &str) -> &str {
    let at = match language {
        Language::English => 0,
        Language::Finnish => 1,
        Language::Swedish => 2,
    };
    WORDS.iter().find(|(of, _)| *of == name).map_or(name, |(_, words)| words[at])
}

/// What to do about what gathers dust.
pub fn advice(language: Language, kind: DustKind) -> &'static str {
    let name = match kind {
        DustKind::Silent => "do_silent",
        DustKind::Unanswered => "do_unanswered",
        DustKind::Orphaned => "do_orphaned",
        DustKind::Call => "do_call",
        DustKind::Suggestion => "do_suggestion",
        DustKind::Quarantine => "do_quarantine",
    };
    say(language, name)
}

/// How a report is written: in which words, by which clock.
#[derive(Debug, Clone)]
pub struct Writing {
    /// The language.
    pub language: Language,
    /// The time zone.
    pub zone: TimeZone,
}

impl Writing {
    /// A word by its name.
    pub(super) fn say<'a>(&self, name: &'a str) -> &'a str {
        say(self.language, name)
    }

    /// A day.
    pub fn day(&self, day: Date) -> String {
        match self.language {
            Language::Finnish => day.strftime("%-d.%-m.%Y").to_string(),
            Language::English | Language::Swedish => day.to_string(),
        }
    }

    /// The days of a period.
    pub fn period(&self, period: &Period) -> String {
        match period.days() {
            1 => self.day(period.first),
            _ => format!("{}–{}", self.day(period.first), self.day(period.last())),
        }
    }

    /// An instant.
    pub fn at(&self, at: Timestamp) -> String {
        let shown = at.to_zoned(self.zone.clone());
        match self.language {
            Language::Finnish => shown.strftime("%-d.%-m.%Y %-H.%M").to_string(),
            Language::English | Language::Swedish => shown.strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }

    /// So many seconds; days only where the clock on the wall counted them.
    pub fn lasting(&self, seconds: i64, by_wall: bool) -> String {
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        let and = |n: i64, unit: &str| if n > 0 { format!(" {n} {unit}") } else { String::new() };
        match seconds {
            ..60 => format!("{seconds} s"),
            60..3600 => format!("{minutes} min"),
            172_800.. if by_wall => format!("{} {}{}", hours / 24, self.say("days"), and(hours % 24, "h")),
            _ => format!("{hours} h{}", and(minutes % 60, "min")),
        }
    }

    /// The same, or a dash.
    pub fn lasted(&self, seconds: Option<i64>, by_wall: bool) -> String {
        seconds.map_or_else(|| "–".to_owned(), |seconds| self.lasting(seconds, by_wall))
    }

    /// A target, or the shortest and the longest.
    pub fn target(&self, (shortest, longest): (i64, i64)) -> String {
        let lasting = |seconds| self.lasting(seconds, false);
        if shortest == longest { lasting(shortest) } else { format!("{}–{}", lasting(shortest), lasting(longest)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_name_and_every_name_a_word() {
        let mut names: Vec<&str> = WORDS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
        let sources = [
            include_str!("report.html"),
            include_str!("page.rs"),
            include_str!("plot.rs"),
            include_str!("../letters.rs"),
        ]
        .concat();
        for asked in sources.split("say(\"").skip(1) {
            let name = asked.split('"').next().unwrap_or_default();
            assert!(names.binary_search(&name).is_ok(), "{name} has no word");
        }
    }

    #[test]
    fn times_are_written_as_people_say_them() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let writing = |language| Writing { language, zone: zone.clone() };
        let (finnish, english) = (writing(Language::Finnish), writing(Language::English));
        let table = [
            (0, false, "0 s"),
            (59, false, "59 s"),
            (61, false, "1 min"),
            (3600, false, "1 h"),
            (12_000, false, "3 h 20 min"),
            (200_000, false, "55 h 33 min"),
            (200_000, true, "2 vrk 7 h"),
            (172_800, true, "2 vrk"),
        ];
        for (seconds, by_wall, expected) in table {
            assert_eq!(finnish.lasting(seconds, by_wall), expected, "{seconds}");
        }
        let at = "2026-11-24T14:05:00Z".parse().unwrap();
        assert_eq!((finnish.at(at).as_str(), english.at(at).as_str()), ("24.11.2026 16.05", "2026-11-24 16:05"));
        assert_eq!(english.target((60, 60)), "1 min");
        assert_eq!(english.target((3600, 7200)), "1 h–2 h");
    }
}
