//! The sentences in Finnish.

use super::sentence::{Joints, Medium, Moment, Role, Source};
use super::{Finding, OnEvidence, OnMessage, OnOther, OnPerson, OnSender, OnTicket, OnTriage};
use std::borrow::Cow;

pub(super) const JOINTS: Joints = Joints {
    against: "vastaan puhui:",
    nothing: "mikään ei puhunut vastaan",
    considered: "harkittiin myös:",
    anew: "Päätetty uudelleen myöhemmin tulleen perusteella:",
    contact: "toinen asiakas",
    ticket: "tiketti #",
};

pub(super) const MOMENT: Moment = (&[], "%-d.%-m.%Y klo %-H.%M", "%-d.%-m. klo %-H.%M");

pub(super) fn source(source: &Source, role: Role, moment: &str) -> String {
    let whose = if source.is_desks { "asiakaspalvelun " } else { "" };
    let what = match (source.medium, role) {
        (Medium::Mail, Role::Origin) => "sähköpostista",
        (Medium::Mail, Role::Object) => "sähköposti",
        (Medium::Call, Role::Origin) => "puhelusta",
        (Medium::Call, Role::Object) => "puhelu",
        (Medium::Note, Role::Origin) => "muistiinpanosta",
        (Medium::Note, Role::Object) => "muistiinpano",
        (Medium::Chat, Role::Origin) => "viestistä",
        (Medium::Chat, Role::Object) => "viesti",
    };
    match source.medium {
        Medium::Chat => format!("{whose}{what} {moment} kanavalla {}", source.channel),
        _ => format!("{whose}{what} {moment}"),
    }
}

pub(super) fn on_sender(says: &OnSender) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnSender::SenderChecked { finding } => on_finding(*finding),
        OnSender::SenderNeverChecked => {
            "Lähettäjää ei voitu tarkistaa moneen päivään, koska nimipalvelin ei vastannut; asia jätetään siihen."
        }
        OnSender::SenderUnaligned => {
            "Viestin vahvistaa muu verkkotunnus kuin lähettäjän, joten viestin on voinut kirjoittaa kuka tahansa."
        }
        OnSender::SeveralSenders => "Viestissä on useita lähettäjiä, joten ketään heistä ei pidetä varmana.",
        OnSender::Lookalike { domain, own } => {
            return Cow::Owned(format!(
                "Lähettäjän verkkotunnus {domain} on tehty muistuttamaan tunnusta {own} mutta on eri; älä luule viestiä työtoverin lähettämäksi."
            ));
        }
        OnSender::DeniedAgain => {
            "Lähettäjän verkkotunnus kiistää viestin; myös aiemmat viestit samalla nimellä kiistettiin, ja ne pidetään erillään sen kanssa."
        }
        OnSender::DeniedKnown => {
            "Lähettäjän verkkotunnus kiistää viestin, jossa on tunnetun asiakkaan osoite; viesti pidettiin erillään hänestä, omana asiakkaanaan. Asiasta tehtiin hälytys."
        }
        OnSender::DeniedUnknown => {
            "Lähettäjän verkkotunnus kiistää viestin; se pidettiin omana asiakkaanaan, erillään siitä, joka osoitteesta ehkä oikeasti kirjoittaa. Asiasta tehtiin hälytys."
        }
    })
}

fn on_finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Signed => "Tarkistettu täällä: lähettäjän verkkotunnus on allekirjoittanut viestin.",
        Finding::Sealed => {
            "Tarkistettu täällä: luotettu välittäjä on vahvistanut sinetillään, että lähettäjän verkkotunnus oli allekirjoittanut viestin."
        }
        Finding::Sent => "Tarkistettu täällä: viesti tuli lähettäjän verkkotunnuksen omasta osoitteesta.",
        Finding::Unsigned => {
            "Tarkistettu täällä: viestiä ei ole allekirjoitettu, joten sen on voinut kirjoittaa kuka tahansa."
        }
        Finding::Unaligned => {
            "Tarkistettu täällä: viestin on allekirjoittanut vain jokin toinen verkkotunnus, joten sen on voinut kirjoittaa kuka tahansa."
        }
        Finding::Broken => {
            "Tarkistettu täällä: lähettäjän verkkotunnuksen allekirjoitus ei pidä; viestiä on muutettu tai se on väärennetty."
        }
        Finding::Denied => {
            "Tarkistettu täällä: lähettäjän verkkotunnus kehottaa epäilemään tällaisia viestejä, joita se ei ole allekirjoittanut."
        }
        Finding::NoAnswer => {
            "Lähettäjää ei voitu tarkistaa, koska nimipalvelin ei vastannut. Tarkistusta yritetään uudelleen."
        }
        Finding::Refused => {
            "Lähettäjää ei tarkistettu: viestin rakenne on poikkeava, tai tarkistus olisi ollut liian raskas."
        }
    }
}

pub(super) fn on_person(says: &OnPerson) -> &'static str {
    match says {
        OnPerson::NewContact => "Osoite ei ole kenenkään tunnetun asiakkaan; uusi asiakas.",
        OnPerson::NoIdentity => "Lähettäjästä ei ole mitään tunnistetietoa.",
        OnPerson::SameAddress => "Osoite on tämän asiakkaan.",
        OnPerson::PassedOn => "Osoite oli tähän asti erinimisellä henkilöllä; tästä lähtien se on tämän henkilön.",
        OnPerson::Guessing => "Muiden numeroita on mainittu liian monta; numeroita ei toistaiseksi haeta.",
        OnPerson::ToldByNote => "Soittajan numero ei näkynyt; muistiinpano kertoo, kuka hän oli.",
        OnPerson::NotThere => {
            "Kertoo, mikä ei ollut asiakkaalta: niin vain kopioitavalla nimellä ja numerolla tullut pidetään erillään."
        }
        OnPerson::NotOwner => {
            "Muistiinpanon mukaan soittaja ei ollut näkyneen numeron haltija: puhelu pidetään erillään."
        }
        OnPerson::ReachedElsewhere => "Viestipalvelu ilmoittaa, että tämä henkilö tavoitetaan tästä lähtien muualta.",
        OnPerson::AgentSaysSame => "Asiakaspalvelija sanoo, että he ovat sama henkilö.",
        OnPerson::AgentSaysApart => "Asiakaspalvelija sanoo, että he eivät ole sama henkilö.",
        OnPerson::JoinGone => "Se, mikä heidät yhdisti, ei enää pidä paikkaansa.",
    }
}

pub(super) fn on_evidence(says: &OnEvidence) -> Cow<'static, str> {
    const ASK: &str = "Kysy, kuka soittaa: soittajan numeron voi väärentää.";
    Cow::Borrowed(match says {
        OnEvidence::AnswerInSameName => {
            "Sama asiakas: vastaus viestiin, jonka asiakaspalvelu lähetti toiseen osoitteeseen, samalla nimellä."
        }
        OnEvidence::NameAndFirm => "Sama koko nimi ja sama yritys. Yrityksessä voi olla kaksi samannimistä.",
        OnEvidence::FullName => {
            "Sama koko nimi muutaman päivän sisällä. Kahdella ihmisellä voi olla sama nimi, joten tämä ei yksin yhdistä mitään."
        }
        OnEvidence::SameBrowser => "Sama asiakas: sama selain, samalla nimellä.",
        OnEvidence::SameAccount => "Sama asiakas: sama tili, samalla nimellä.",
        OnEvidence::MutualAddresses => "Sama asiakas: kumpikin mainitsee toisen osoitteen.",
        OnEvidence::MutualButNamesDiffer => {
            "Kumpikin mainitsee toisen osoitteen, mutta nimet ovat eri: kaksi toisensa tuntevaa ihmistä?"
        }
        OnEvidence::LookalikeDomain => {
            "Toisen sähköpostin verkkotunnus on tehty toisen näköiseksi; varmista, ennen kuin heitä pidetään samana."
        }
        OnEvidence::AddressOfAnotherName { address } => {
            return format!("Osoite {address} on toisennimisen; heidät pidetään erillään.").into();
        }
        OnEvidence::NumberOfAnotherName { number } => {
            return format!("Myös joku toisenniminen on maininnut tunnisteen {number}; heidät pidetään erillään.")
                .into();
        }
        OnEvidence::NumberAndName { number } => {
            return format!("Sama asiakas: {number} ja nimi ovat molemmissa.").into();
        }
        OnEvidence::NumberAndAddress { number } => {
            return format!("Sama asiakas: toinen mainitsee toisen osoitteen, ja {number} on molemmissa.").into();
        }
        OnEvidence::NumberAlone { number } => {
            return format!("Molemmissa on {number}, mutta ei nimeä, johon sitä voisi verrata.").into();
        }
        OnEvidence::CallerNamedBySeveral { address } => {
            return format!("Useampi ihminen mainitsee soittajan numeron {address} omanaan.").into();
        }
        OnEvidence::CallerNamedBefore { address } => {
            return format!("Soittajan numero {address} mainittiin aiemmin aidoksi todetussa sähköpostissa. {ASK}")
                .into();
        }
        OnEvidence::CallerNamedSoonAfter { address } => {
            return format!("Pian puhelun jälkeen tullut sähköposti sanoo suoraan, että soittaja oli {address}. {ASK}")
                .into();
        }
        OnEvidence::CallerOfSameName { address } => {
            return format!(
                "Soittaja kertoi nimensä, ja ensimmäinen sähköposti, jossa soittajan numero {address} mainitaan, on samannimiseltä. {ASK}"
            )
            .into();
        }
        OnEvidence::CallerNamedAfter { address } => {
            return format!("Puhelun jälkeen tullut sähköposti mainitsee soittajan numeron {address}.").into();
        }
        OnEvidence::AddressNamed { address } => {
            return format!("Toinen mainitsee toisen osoitteen {address}, mutta mikään muu ei tue sitä.").into();
        }
    })
}

pub(super) fn on_ticket(says: &OnTicket) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnTicket::PutByHand => "Asiakaspalvelija on siirtänyt viestin tähän.",
        OnTicket::SameGroup => "Viesti on samasta ryhmästä.",
        OnTicket::DeskAct => "Asiakaspalvelu teki tämän tällä tiketillä olevasta viestistä.",
        OnTicket::AnswersDesk => "Viesti vastaa asiakaspalvelun lähettämään viestiin.",
        OnTicket::SameConversation => "Viesti on samasta keskustelusta.",
        OnTicket::SameMailThread => "Sähköpostiohjelman mukaan viesti on samassa ketjussa.",
        OnTicket::AnswersMessage => "Viesti vastaa tämän tiketin aiempaan viestiin.",
        OnTicket::AnsweredEarlier => "Aiemmin tullut viesti vastaa tähän viestiin.",
        OnTicket::SameAbsentMessage => {
            "Viesti vastaa samaan, vielä saapumattomaan viestiin kuin tämän tiketin aiempi viesti."
        }
        OnTicket::Quotes => "Viesti ei viittaa mihinkään täällä olevaan viestiin, mutta lainaa tämän tiketin viestiä.",
        OnTicket::SameSubject => {
            "Viesti ei viittaa mihinkään viestiin, mutta on vastaus otsikolla, joka on vain tällä tiketillä."
        }
        OnTicket::NamesNumber { number: None } => "Viestissä on tämän asian numero.",
        OnTicket::NamesNumber { number: Some(number) } => {
            return format!("Viestissä on {number}, joka on tämän asian numero.").into();
        }
        OnTicket::SeveralFit => "Useampi avoin asia sopii yhtä hyvin; ei arvata, mikä niistä.",
        OnTicket::ClosedAndAnother => "Asia, johon viesti viittaa, on suljettu, ja viesti tuo toisen asian.",
        OnTicket::OpensNone => "Automaattiset viestit ja sisäiset puhelut eivät avaa tikettiä.",
        OnTicket::NewTicket => "Mikään ei liitä viestiä tunnettuun asiaan; uusi tiketti.",
        OnTicket::Reopened => "Asia suljettiin äskettäin; se on taas auki.",
        OnTicket::FollowUp => "Asia suljettiin kauan sitten; tämä jatkaa sitä uudella tiketillä.",
        OnTicket::GoesOnThere => "Asia suljettiin kauan sitten; se jatkuu jo tällä tiketillä.",
        OnTicket::SameSession => "Viesti seuraa lähettäjän edellistä viestiä lyhyen tauon jälkeen.",
        OnTicket::SaysNewMatter => "Tekstissä sanotaan, että tämä on uusi asia.",
        OnTicket::BeginsAnew => "Viesti on erillinen sähköposti toisella otsikolla henkilöltä, jolla on avoin asia.",
        OnTicket::SameTopic => "Asiakkaan avoimista asioista yksi koskee sitä, mitä viestissä mainitaan.",
        OnTicket::OnlyOpen => "Tämä on asiakkaan ainoa avoin asia näiltä päiviltä.",
        OnTicket::LatestOpen => "Asiakaspalvelun viesti kuuluu asiakkaan viimeisimpään asiaan.",
        OnTicket::CameAgain { times } => {
            return format!("Asiakas ottaa tästä yhteyttä jo {times}. kerran lyhyessä ajassa: asiasta tuli kiireinen.")
                .into();
        }
        OnTicket::SaysIsBack => {
            "Viestissä sanotaan, että vika on palannut, ja yksi asiakkaan asia suljettiin äskettäin."
        }
        OnTicket::Routed { queue, rule } => return format!("Jono ”{queue}” säännön ”{rule}” mukaan.").into(),
        OnTicket::RoutedByDefault { queue } => return format!("Jono ”{queue}”: mikään sääntö ei koske sitä.").into(),
    })
}

pub(super) fn on_other(says: &OnOther) -> &'static str {
    match says {
        OnOther::DeskWroteNumber => "Asiakaspalvelu kirjasi numeron, joka on tällä tiketillä.",
        OnOther::AnswersDeskImitating => {
            "Viesti vastaa asiakaspalvelun viestiin, mutta lähettäjän verkkotunnus on tehty muistuttamaan oikean vastaanottajan verkkotunnusta."
        }
        OnOther::AnswersDeskDenied => {
            "Viesti vastaa asiakaspalvelun viestiin, mutta asiakas sanoo, ettei tämä lähettäjä ole hän."
        }
        OnOther::AnswersButTakesNoPart => {
            "Viesti vastaa tämän tiketin viestiin, mutta lähettäjä ei ole tiketissä mukana."
        }
        OnOther::NamedButTakesNoPart => {
            "Tämän tiketin viesti viittaa siihen tai samaan viestiin kuin se, mutta lähettäjä ei ole tiketissä mukana."
        }
        OnOther::QuotesButTakesNoPart => {
            "Viesti lainaa tämän tiketin viestiä, mutta lähettäjä ei ole tiketissä mukana."
        }
        OnOther::NumberButTakesNoPart => {
            "Viestissä on numero, joka on tällä tiketillä, mutta lähettäjä ei ole tiketissä mukana."
        }
        OnOther::OpenMatter => "Tämän asiakkaan avoin asia.",
        OnOther::OneOfSeveralOpen => "Yksi tämän asiakkaan monesta avoimesta asiasta.",
        OnOther::OneContactsMatter => {
            "Toinen tiketti on saman asiakkaan sama asia; häntä ei ennen tiedetty samaksi henkilöksi."
        }
        OnOther::OneThread => "Toinen tiketti on samaa ketjua, kuten tämä viesti osoittaa.",
        OnOther::TalkNamesNumber => "Keskustelussa mainitaan toisen tiketin numero.",
        OnOther::LegToldCaller => "Puhelun toinen osa kertoi, kuka soitti.",
        OnOther::PutBeside => "Asiakaspalvelija siirsi sen viestejä toisella tiketillä olevan viestin luo.",
    }
}

pub(super) fn on_triage(says: &OnTriage) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnTriage::Asks { words } => return Cow::Owned(format!("Pyytää tai kysyy: {words}.")),
        OnTriage::AsksBeside { words } => return Cow::Owned(format!("Haluaa ongelman lisäksi: {words}.")),
        OnTriage::Trouble { words } => return Cow::Owned(format!("Kertoo ongelmasta: {words}.")),
        OnTriage::OwnDoing { words } => return Cow::Owned(format!("Asiakkaan omaa tekemistä: {words}.")),
        OnTriage::NobodyCanTell { words } => {
            return Cow::Owned(format!("Vielä ei voi sanoa, kenen vika se on: {words}."));
        }
        OnTriage::Hinders { words } => return Cow::Owned(format!("Sen kanssa tulee toimeen: {words}.")),
        OnTriage::Prevents { words } => return Cow::Owned(format!("Se estää kokonaan: {words}.")),
        OnTriage::Complaint { words } => return Cow::Owned(format!("Valittaa: {words}.")),
        OnTriage::Wish { words } => return Cow::Owned(format!("Toivoo tai ehdottaa: {words}.")),
        OnTriage::Praise { words } => return Cow::Owned(format!("Kehuu: {words}.")),
        OnTriage::Danger { words } => return Cow::Owned(format!("Vaara uhkaa: {words}.")),
        OnTriage::Standstill { words } => return Cow::Owned(format!("Liike tai koti seisoo: {words}.")),
        OnTriage::Deadline { words } => return Cow::Owned(format!("Aikaa on tunteja: {words}.")),
        OnTriage::Grave { words } => return Cow::Owned(format!("Vakavaksi sen tekee: {words}.")),
        OnTriage::Hurry { words } => return Cow::Owned(format!("Kiirettä sanoin: {words}.")),
        OnTriage::NoHurry { words } => return Cow::Owned(format!("Ei ole kiire: {words}.")),
        OnTriage::SaidAgain { words } => {
            return Cow::Owned(format!("Siitä on sanottu jo, eikä kukaan ole vastannut: {words}."));
        }
        OnTriage::WellAgain { words } => return Cow::Owned(format!("Se on jo kunnossa: {words}.")),
        OnTriage::NoMatter { words } => return Cow::Owned(format!("Ei tuo asiaa: {words}.")),
        OnTriage::Question => "Kysymys: pidetään pyyntönä.",
        OnTriage::MatterUnnamed => "Tervehdykseksi liian pitkä, eikä mikään sana kerro asiaa: pidetään pulmana.",
        OnTriage::CallToReturn => "Puhelu, johon on vastattava: ei koskaan matala.",
        OnTriage::RaisedByContract { name } => return Cow::Owned(format!("Kohotettu [urgency]-asetuksella: {name}.")),
        OnTriage::CameBack => "Palaa avoimeen asiaan, joka ei ratkennut: kohotettu.",
        OnTriage::Unanswered { count } => {
            return Cow::Owned(format!("Kirjoittanut {count} kertaa ilman vastausta: kohotettu."));
        }
        OnTriage::Weighed { words } => {
            return Cow::Owned(format!("Sen mukaan, mitä sanat yhdessä painavat (eniten: {words})."));
        }
        OnTriage::Learnt { words } if words.is_empty() => "Käsittelijöiden korjauksista opitun mukaan.",
        OnTriage::Learnt { words } => {
            return Cow::Owned(format!("Käsittelijöiden korjauksista opitun mukaan (eniten painoivat: {words})."));
        }
        OnTriage::Classified => "Käsittelijä sanoi niin: se pysyy.",
    })
}

pub(super) fn on_message(says: &OnMessage) -> &'static str {
    match says {
        OnMessage::Erased => "Viesti on poistettu ja pysyy poistettuna.",
        OnMessage::Repeat => "Sama viesti on tullut jo aiemmin.",
        OnMessage::EarlyUpdates => "Viestin muutokset tulivat ennen sitä, ja ne ovat voimassa.",
        OnMessage::IdReused => {
            "Aiemmin tuli toinen viesti samalla tunnisteella mutta eri sisällöllä; molemmat säilytetään."
        }
        OnMessage::Receipt => "Se koskee kaikkea, mitä asiakkaalle oli siihen mennessä lähetetty.",
        OnMessage::Update => "Se koskee aiempaa viestiä.",
        OnMessage::UpdateWaits => "Se koskee viestiä, joka ei ole vielä tullut, ja odottaa sitä.",
        OnMessage::Leg => "Toinen merkintä samasta puhelusta.",
    }
}
