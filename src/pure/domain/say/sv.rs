//! The sentences in Swedish.

use super::sentence::{Joints, Medium, Moment, Role, Source};
use super::{Finding, OnEvidence, OnMessage, OnOther, OnPerson, OnSender, OnTicket, OnTriage};
use std::borrow::Cow;

pub(super) const JOINTS: Joints = Joints {
    against: "emot det talade:",
    nothing: "inget talade emot det",
    considered: "också övervägt:",
    anew: "Bestämt på nytt, med det som kom senare:",
    contact: "en annan kund",
    ticket: "ärende #",
};

pub(super) const MOMENT: Moment = (
    &[
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ],
    "den %-d %B %Y kl. %-H.%M",
    "den %-d %B kl. %-H.%M",
);

pub(super) fn source(source: &Source, role: Role, moment: &str) -> String {
    let from = if role == Role::Origin { "från " } else { "" };
    let what = match (source.medium, source.is_desks) {
        (Medium::Mail, false) => "e-postmeddelandet",
        (Medium::Mail, true) => "kundtjänstens e-postmeddelande",
        (Medium::Call, false) => "samtalet",
        (Medium::Call, true) => "kundtjänstens samtal",
        (Medium::Note, _) => "kundtjänstens anteckning",
        (Medium::Chat, false) => "meddelandet",
        (Medium::Chat, true) => "kundtjänstens meddelande",
    };
    match source.medium {
        Medium::Chat => format!("{from}{what} {moment} i kanalen {}", source.channel),
        _ => format!("{from}{what} {moment}"),
    }
}

pub(super) fn on_sender(says: &OnSender) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnSender::SenderChecked { finding } => on_finding(*finding),
        OnSender::SenderNeverChecked => {
            "Avsändaren kunde inte kontrolleras på flera dagar, eftersom en namnserver inte svarade; det får vara så."
        }
        OnSender::SenderUnaligned => {
            "Det är en annan domän än avsändarens som intygar meddelandet, så vem som helst kan ha skrivit det."
        }
        OnSender::SeveralSenders => "Meddelandet anger flera avsändare, så ingen av dem tas för säker.",
        OnSender::Lookalike { domain, own } => {
            return Cow::Owned(format!(
                "Avsändarens domän {domain} är gjord för att likna {own} men är en annan; ta det inte för en kollegas meddelande."
            ));
        }
        OnSender::DeniedAgain => {
            "Avsändarens domän förnekar meddelandet; även tidigare meddelanden i samma namn har förnekats, och de hålls isär tillsammans med det."
        }
        OnSender::DeniedKnown => {
            "Avsändarens domän förnekar meddelandet, som anger en känd kunds adress och hölls isär från kunden, som en egen kund. Ett larm har gått."
        }
        OnSender::DeniedUnknown => {
            "Avsändarens domän förnekar meddelandet, som hölls isär, som en egen kund, från den som kanske skriver från adressen på riktigt. Ett larm har gått."
        }
    })
}

fn on_finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Signed => "Kontrollerat här: avsändarens domän har signerat meddelandet.",
        Finding::Sealed => {
            "Kontrollerat här: en betrodd vidarebefordrare har intygat med sitt sigill att avsändarens domän hade signerat meddelandet."
        }
        Finding::Sent => "Kontrollerat här: meddelandet lämnades in från en adress som hör till avsändarens domän.",
        Finding::Unsigned => "Kontrollerat här: meddelandet är inte signerat, så vem som helst kan ha skrivit det.",
        Finding::Unaligned => {
            "Kontrollerat här: meddelandet är bara signerat av en annan domän, så vem som helst kan ha skrivit det."
        }
        Finding::Broken => {
            "Kontrollerat här: signaturen från avsändarens domän stämmer inte; meddelandet har ändrats eller är förfalskat."
        }
        Finding::Denied => {
            "Kontrollerat här: avsändarens domän ber att man misstror sådana här meddelanden, som den inte har signerat."
        }
        Finding::NoAnswer => {
            "Avsändaren kunde inte kontrolleras, eftersom en namnserver inte svarade. Ett nytt försök görs."
        }
        Finding::Refused => {
            "Avsändaren kontrollerades inte: meddelandet är inte uppbyggt som e-post brukar vara, eller kontrollen hade blivit för tung."
        }
    }
}

pub(super) fn on_person(says: &OnPerson) -> &'static str {
    match says {
        OnPerson::NewContact => "Ingen känd kund har den här adressen; en ny kund.",
        OnPerson::NoIdentity => "Avsändaren gav inget att känna igen honom eller henne på.",
        OnPerson::SameAddress => "Adressen hör till den här kunden.",
        OnPerson::PassedOn => "Adressen tillhörde hittills någon med ett annat namn; nu är den den här personens.",
        OnPerson::Guessing => "För många nummer som hör till andra har nämnts; nummer slås inte upp tills vidare.",
        OnPerson::ToldByNote => "Den som ringde visade inget nummer; anteckningen berättar vem det var.",
        OnPerson::NotThere => {
            "Berättar vad som inte kom från kunden: det som kom så med bara ett kopierat namn och nummer hålls isär."
        }
        OnPerson::NotOwner => {
            "Enligt anteckningen var den som ringde inte innehavaren av numret som visades: samtalet hålls isär."
        }
        OnPerson::ReachedElsewhere => "Plattformen meddelar att personen nås på annat håll från och med nu.",
        OnPerson::AgentSaysSame => "En handläggare säger att de är samma person.",
        OnPerson::AgentSaysApart => "En handläggare säger att de inte är samma person.",
        OnPerson::JoinGone => "Det som förenade dem gäller inte längre.",
    }
}

pub(super) fn on_evidence(says: &OnEvidence) -> Cow<'static, str> {
    const ASK: &str = "Fråga vem som ringer: ett visat nummer kan vara förfalskat.";
    Cow::Borrowed(match says {
        OnEvidence::AnswerInSameName => {
            "Samma kund: ett svar på det som kundtjänsten hade skickat till den andra adressen, i samma namn."
        }
        OnEvidence::NameAndFirm => "Samma fullständiga namn och samma företag. Ett företag kan ha två med samma namn.",
        OnEvidence::FullName => {
            "Samma fullständiga namn inom några dagar. Två personer kan ha samma namn, så det räcker inte för att slå ihop dem."
        }
        OnEvidence::SameBrowser => "Samma kund: samma webbläsare, i samma namn.",
        OnEvidence::SameAccount => "Samma kund: samma konto, i samma namn.",
        OnEvidence::MutualAddresses => "Samma kund: båda nämner varandras adress.",
        OnEvidence::MutualButNamesDiffer => {
            "Båda nämner varandras adress, men namnen är olika: två personer som känner varandra?"
        }
        OnEvidence::LookalikeDomain => {
            "Den enas e-postdomän är gjord för att likna den andras; fråga innan de tas för en och samma."
        }
        OnEvidence::AddressOfAnotherName { address } => {
            return format!("Någon med ett annat namn har {address}; de hålls isär.").into();
        }
        OnEvidence::NumberOfAnotherName { number } => {
            return format!("Någon med ett annat namn har också nämnt {number}; de hålls isär.").into();
        }
        OnEvidence::NumberAndName { number } => {
            return format!("Samma kund: {number} och namnet finns i båda.").into();
        }
        OnEvidence::NumberAndAddress { number } => {
            return format!("Samma kund: den ena nämner den andras adress, och {number} finns i båda.").into();
        }
        OnEvidence::NumberAlone { number } => {
            return format!("Båda nämner {number}, men det finns inget namn att jämföra med.").into();
        }
        OnEvidence::CallerNamedBySeveral { address } => {
            return format!("Flera personer uppger numret {address}, som det ringdes från, som sitt.").into();
        }
        OnEvidence::CallerNamedBefore { address } => {
            return format!(
                "Numret {address}, som det ringdes från, nämndes tidigare i ett e-postmeddelande vars avsändare är styrkt. {ASK}"
            )
            .into();
        }
        OnEvidence::CallerNamedSoonAfter { address } => {
            return format!(
                "Ett e-postmeddelande strax efter samtalet säger rent ut att det kom från {address}. {ASK}"
            )
            .into();
        }
        OnEvidence::CallerOfSameName { address } => {
            return format!(
                "Den som ringde uppgav ett namn, och det första e-postmeddelandet som nämner numret {address} är i samma fullständiga namn. {ASK}"
            )
            .into();
        }
        OnEvidence::CallerNamedAfter { address } => {
            return format!("Ett e-postmeddelande efter samtalet nämner numret {address}, som det ringdes från.")
                .into();
        }
        OnEvidence::AddressNamed { address } => {
            return format!("Den ena nämner den andras adress {address}, men inget annat talar för det.").into();
        }
    })
}

pub(super) fn on_ticket(says: &OnTicket) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnTicket::PutByHand => "En handläggare har flyttat meddelandet hit.",
        OnTicket::SameGroup => "Meddelandet kommer från samma grupp.",
        OnTicket::DeskAct => "Kundtjänsten gjorde detta om ett meddelande i det här ärendet.",
        OnTicket::AnswersDesk => "Meddelandet svarar på något som kundtjänsten har skickat.",
        OnTicket::SameConversation => "Meddelandet hör till samma konversation.",
        OnTicket::SameMailThread => "E-postprogrammet säger att meddelandet hör till samma tråd.",
        OnTicket::AnswersMessage => "Meddelandet svarar på ett tidigare meddelande i det här ärendet.",
        OnTicket::AnsweredEarlier => "Ett meddelande som kom tidigare svarar på det här.",
        OnTicket::SameAbsentMessage => {
            "Meddelandet svarar på samma ännu inte mottagna meddelande som ett tidigare i det här ärendet."
        }
        OnTicket::Quotes => {
            "Meddelandet hänvisar inte till något meddelande som finns här, men citerar ett i det här ärendet."
        }
        OnTicket::SameSubject => {
            "Meddelandet hänvisar inte till något meddelande, men är ett svar med en ämnesrad som bara det här ärendet har."
        }
        OnTicket::NamesNumber { number: None } => "Meddelandet nämner ett nummer som hör till det här ärendet.",
        OnTicket::NamesNumber { number: Some(number) } => {
            return format!("Meddelandet nämner {number}, som hör till det här ärendet.").into();
        }
        OnTicket::SeveralFit => "Flera öppna ärenden passar lika bra; det gissas inte vilket.",
        OnTicket::ClosedAndAnother => "Ärendet som meddelandet pekar på är stängt, och meddelandet gäller ett annat.",
        OnTicket::OpensNone => "Automatiska meddelanden och interna samtal öppnar inget ärende.",
        OnTicket::NewTicket => "Inget knyter meddelandet till ett känt ärende; ett nytt ärende.",
        OnTicket::Reopened => "Ärendet stängdes nyligen; det är öppet igen.",
        OnTicket::FollowUp => "Ärendet stängdes för länge sedan; det fortsätter här i ett nytt ärende.",
        OnTicket::GoesOnThere => "Ärendet stängdes för länge sedan; det fortsätter redan här.",
        OnTicket::SameSession => "Meddelandet följer på avsändarens förra efter en kort paus.",
        OnTicket::SaysNewMatter => "Texten säger att det är ett nytt ärende.",
        OnTicket::BeginsAnew => {
            "Meddelandet är ett fristående e-postmeddelande med ett annat ämne från någon som har ett öppet ärende."
        }
        OnTicket::SameTopic => "Av kundens öppna ärenden gäller ett det som nämns här.",
        OnTicket::OnlyOpen => "Det är kundens enda öppna ärende från de senaste dagarna.",
        OnTicket::LatestOpen => "Kundtjänstens meddelande hör till kundens senaste ärende.",
        OnTicket::CameAgain { times } => {
            return format!("Kunden hör av sig om detta för {times}:e gången på kort tid: ärendet blev brådskande.")
                .into();
        }
        OnTicket::SaysIsBack => "Texten säger att felet är tillbaka, och ett av kundens ärenden stängdes nyligen.",
        OnTicket::Routed { queue, rule } => return format!("Kön ”{queue}” enligt regeln ”{rule}”.").into(),
        OnTicket::RoutedByDefault { queue } => return format!("Kön ”{queue}”: ingen regel gäller det.").into(),
    })
}

pub(super) fn on_other(says: &OnOther) -> &'static str {
    match says {
        OnOther::DeskWroteNumber => "Kundtjänsten antecknade ett nummer som finns i det här ärendet.",
        OnOther::AnswersDeskImitating => {
            "Meddelandet svarar på kundtjänstens, men avsändarens domän är gjord för att likna den rätta mottagarens."
        }
        OnOther::AnswersDeskDenied => {
            "Meddelandet svarar på kundtjänstens, men kunden säger att avsändaren inte är han eller hon."
        }
        OnOther::AnswersButTakesNoPart => {
            "Meddelandet svarar på ett meddelande i det här ärendet, men avsändaren deltar inte i det."
        }
        OnOther::NamedButTakesNoPart => {
            "Ett meddelande i det här ärendet hänvisar till det, eller till samma som det, men avsändaren deltar inte i ärendet."
        }
        OnOther::QuotesButTakesNoPart => {
            "Meddelandet citerar ett meddelande i det här ärendet, men avsändaren deltar inte i det."
        }
        OnOther::NumberButTakesNoPart => {
            "Meddelandet nämner ett nummer som hör till det här ärendet, men avsändaren deltar inte i det."
        }
        OnOther::OpenMatter => "Ett öppet ärende som den här kunden har.",
        OnOther::OneOfSeveralOpen => "Ett av flera öppna ärenden som den här kunden har.",
        OnOther::OneContactsMatter => {
            "Ett annat ärende gäller samma sak från samma kund, som inte förut var känd som en och samma."
        }
        OnOther::OneThread => "Ett annat ärende är samma tråd, som det här meddelandet visar.",
        OnOther::TalkNamesNumber => "I samtalet nämns det andra ärendets nummer.",
        OnOther::LegToldCaller => "En annan del av samtalet visade vem som ringde.",
        OnOther::PutBeside => "En handläggare flyttade meddelanden därifrån till ett meddelande i ett annat ärende.",
    }
}

pub(super) fn on_triage(says: &OnTriage) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnTriage::Asks { words } => return Cow::Owned(format!("Ber om eller frågar efter något: {words}.")),
        OnTriage::AsksBeside { words } => return Cow::Owned(format!("Vill något utöver problemet: {words}.")),
        OnTriage::Trouble { words } => return Cow::Owned(format!("Berättar om ett problem: {words}.")),
        OnTriage::OwnDoing { words } => return Cow::Owned(format!("Kundens eget: {words}.")),
        OnTriage::NobodyCanTell { words } => {
            return Cow::Owned(format!("Vems fel det är går inte att säga ännu: {words}."));
        }
        OnTriage::Hinders { words } => return Cow::Owned(format!("Det går att leva med: {words}.")),
        OnTriage::Prevents { words } => return Cow::Owned(format!("Det hindrar helt: {words}.")),
        OnTriage::Complaint { words } => return Cow::Owned(format!("Klagar: {words}.")),
        OnTriage::Wish { words } => return Cow::Owned(format!("Önskar eller föreslår: {words}.")),
        OnTriage::Praise { words } => return Cow::Owned(format!("Berömmer: {words}.")),
        OnTriage::Danger { words } => return Cow::Owned(format!("Fara hotar: {words}.")),
        OnTriage::Standstill { words } => {
            return Cow::Owned(format!("En verksamhet eller ett hem står stilla: {words}."));
        }
        OnTriage::Deadline { words } => return Cow::Owned(format!("Det är bråttom på timmen: {words}.")),
        OnTriage::Grave { words } => return Cow::Owned(format!("Det som gör det allvarligt: {words}.")),
        OnTriage::Hurry { words } => return Cow::Owned(format!("Ord om brådska: {words}.")),
        OnTriage::NoHurry { words } => return Cow::Owned(format!("Ingen brådska: {words}.")),
        OnTriage::SaidAgain { words } => {
            return Cow::Owned(format!("Det har sagts förut, och ingen har svarat: {words}."));
        }
        OnTriage::WellAgain { words } => return Cow::Owned(format!("Det är bra igen: {words}.")),
        OnTriage::NoMatter { words } => return Cow::Owned(format!("För inget ärende med sig: {words}.")),
        OnTriage::Question => "En fråga: tas som en begäran.",
        OnTriage::MatterUnnamed => "För långt för en hälsning, och inget ord säger vad det är: tas som ett problem.",
        OnTriage::CallToReturn => "Ett samtal som ska besvaras: aldrig låg.",
        OnTriage::RaisedByContract { name } => return Cow::Owned(format!("Höjd av inställningen [urgency]: {name}.")),
        OnTriage::CameBack => "Återkommer till ett öppet ärende som inte löstes: höjd.",
        OnTriage::Unanswered { count } => return Cow::Owned(format!("Har skrivit {count} gånger utan svar: höjd.")),
        OnTriage::Weighed { words } => {
            return Cow::Owned(format!("Enligt vad orden väger tillsammans (mest: {words})."));
        }
        OnTriage::Learnt { words } if words.is_empty() => "Enligt vad handläggarnas rättelser lärt.",
        OnTriage::Learnt { words } => {
            return Cow::Owned(format!("Enligt vad handläggarnas rättelser lärt (tyngst vägde: {words})."));
        }
        OnTriage::Classified => "En handläggare har sagt så: det förblir så.",
    })
}

pub(super) fn on_message(says: &OnMessage) -> &'static str {
    match says {
        OnMessage::Erased => "Meddelandet har raderats och förblir raderat.",
        OnMessage::Repeat => "Samma meddelande har kommit förut.",
        OnMessage::EarlyUpdates => "Ändringar av meddelandet kom före det, och de gäller.",
        OnMessage::IdReused => "Ett annat meddelande med samma id men annat innehåll kom tidigare; båda behålls.",
        OnMessage::Receipt => "Det gäller allt som dittills hade skickats till kunden.",
        OnMessage::Update => "Det gäller ett tidigare meddelande.",
        OnMessage::UpdateWaits => "Det gäller ett meddelande som inte har kommit ännu, och väntar på det.",
        OnMessage::Leg => "Ännu en uppgift om samma samtal.",
    }
}
