//! `lanka report` over a made-up quarter that the real program took in: its numbers, held to SQL that knows nothing of it.

use crate::clocks::Dice;
use crate::commands::Place;
use crate::desk::mail;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::fs;

const DESK: &str = r#"
[defaults]
time_zone = "Europe/Helsinki"
languages = ["fi"]
[identity]
own_domains = ["kauppa.example"]
public_domains = ["posti.example"]
[channels.mail]
kind = "maildir"
path = "DIR/mail"
addresses = ["asiakaspalvelu@kauppa.example"]
trusted_authserv = "mx.kauppa.example"
[channels.chat]
kind = "webchat"
secret = { env = "WHSEC" }
[channels.agents]
kind = "desk"
secret = { env = "WHSEC" }
"#;

/// What customers write: title and text.
const SAID: [(&str, &str); 7] = [
    ("Kuittitulostin jumissa", "Kassan kuittitulostin ei toimi, emme pysty myymään mitään. Apua pian!"),
    ("Kuittitulostin taas", "Kuittitulostin on taas rikki ja jumittaa."),
    ("Tarjouspyyntö", "Pyytäisin tarjouksen kahdesta uudesta päätteestä, kiitos."),
    ("Palaute", "Olen todella pettynyt palveluunne, tämä oli surkea kokemus."),
    ("Toive", "Olisi mahtavaa, jos raportit saisi myös puhelimeen. Toivomus teille."),
    ("=HYPERLINK(\"http://evil.example\")", "<script>alert(1)</script> Voisitteko lähettää hinnaston?"),
    ("Kiitos", "Kiitos todella hyvästä palvelusta, olette mahtavia!"),
];

/// Four months of a desk, the third quarter within: customers of eight organisations and of none write and chat; most are
/// answered, some ask again, some are waited for, most are closed.
fn stream(tickets: i64) -> String {
    let mut dice = Dice(7);
    let mut events: Vec<(Timestamp, Value)> = Vec::new();
    let begin: Timestamp = "2026-06-20T05:00:00Z".parse().expect("a time");
    for n in 0..tickets {
        let at = begin + SignedDuration::from_mins(n * 110 * 24 * 60 / tickets + dice.below(600));
        let (title, text) = SAID[usize::try_from(dice.below(7)).expect("few")];
        let who = dice.below(30);
        let domain = if who < 8 { "posti.example".to_owned() } else { format!("firma{}.example", who % 8) };
        let on = if dice.below(4) == 0 {
            let chat = json!({"event_id": format!("e{n}"), "type": "message", "conversation_id": format!("v{n}"), "visitor": {"id": format!("v{n}")},
                "text": format!("{title}. {text}"), "sent_at": at.to_string()});
            events.push((at, json!({"channel": "chat", "raw": chat.to_string()})));
            json!({"channel": "chat", "source_key": format!("e{n}")})
        } else {
            let date = jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).expect("a date");
            let (id, from) = (format!("m{n}@{domain}"), format!("Asiakas {n} <asiakas{n}@{domain}>"));
            let pass = format!("dkim=pass header.d={domain}; dmarc=pass header.from={domain}");
            events.push((at, json!({"channel": "mail", "raw": mail(&id, &from, &date, &pass, "", title, text)})));
            json!({"channel": "mail", "source_key": id})
        };
        let mut act = |kind: &str, at: Timestamp, more: Value| {
            let mut act = json!({"event_id": format!("{kind}{n}"), "type": kind, "on": on, "at": at.to_string()});
            act.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            events.push((at, json!({"channel": "agents", "raw": act.to_string()})));
        };
        let answered = at + SignedDuration::from_mins(3 + dice.below(3_000));
        match dice.below(10) {
            0 => {}
            1 => act("note", answered, json!({"text": "Katsotaan."})),
            2 => {
                act("reply", answered, json!({"text": "Mikä laite?"}));
                act("await", answered + SignedDuration::from_hours(1), json!({}));
            }
            3 => act("reply", answered, json!({"text": "Selvitämme."})),
            _ => {
                act("reply", answered, json!({"text": "Hoidettu."}));
                act("close", answered + SignedDuration::from_hours(1 + dice.below(200)), json!({}));
            }
        }
    }
    events.sort_by_key(|(at, _)| *at);
    let line = |(at, mut event): (Timestamp, Value)| {
        event["received_at"] = json!(at.to_string());
        event["encoding"] = json!("utf-8");
        format!("{event}\n")
    };
    events.into_iter().map(line).collect()
}

async fn desk(tickets: i64) -> Place {
    let place = Place::new().await;
    place.configure(DESK);
    place.write("mail/new/.keep", "");
    place.write("events.jsonl", &stream(tickets));
    place.run(&["import", "--events", "events.jsonl"]);
    place.run(&["run", "--until-idle"]);
    place
}

/// The quarter on the desk's clock.
const QUARTER: &str = "('2026-07-01'::timestamp AT TIME ZONE 'Europe/Helsinki') AND ('2026-10-01'::timestamp AT TIME ZONE 'Europe/Helsinki') - interval '1 us'";

/// What customers said first on each ticket, out of the messages alone.
const FIRST: &str = "SELECT DISTINCT ON (m.ticket_id) m.ticket_id, m.trusted_at AS at, m.channel,
        CASE WHEN split_part(i.value, '@', 2) LIKE 'firma%' THEN split_part(i.value, '@', 2) END AS organisation
    FROM message m LEFT JOIN identity i ON i.id = m.identity_id WHERE m.direction = 'from_customer' AND m.auto IS NULL AND m.ticket_id IS NOT NULL
    ORDER BY m.ticket_id, m.trusted_at, m.id";

/// The value at a place of ten among some in order: the least that so many of ten do not exceed.
fn place_of(part: &str, of: &str) -> String {
    format!(
        "(SELECT s FROM (SELECT s, row_number() OVER (ORDER BY s) AS r, count(*) OVER () AS n FROM ({of}) v) w WHERE r >= ceil(n * {part}) ORDER BY r LIMIT 1)"
    )
}

/// The same numbers by other SQL. `only` narrows the tickets.
fn independent(only: &str) -> String {
    let answered = "SELECT extract(epoch FROM min(a.trusted_at) - q.at)::bigint AS s FROM q JOIN message a ON a.ticket_id = q.ticket_id
        WHERE a.direction = 'from_agent' AND a.auto IS NULL AND NOT 'internal' = ANY(a.marks) GROUP BY q.ticket_id, q.at";
    let clock = |name: &str| {
        format!(
            "SELECT c.worked_s AS s FROM report_clock c WHERE c.clock = '{name}' AND c.ended_at IS NOT NULL AND c.ticket_id IN (SELECT ticket_id FROM q)"
        )
    };
    let promised = |name: &str| {
        format!(
            "(SELECT jsonb_build_object('made', count(*), 'met', count(*) FILTER (WHERE state = 'met'), 'breached', count(*) FILTER (WHERE state = 'breached'),
                'running', count(*) FILTER (WHERE state = 'running'), 'paused', count(*) FILTER (WHERE state = 'paused'), 'median_s', {}, 'p90_s', {})
              FROM report_clock WHERE clock = '{name}' AND ticket_id IN (SELECT ticket_id FROM q))",
            place_of("0.5", &clock(name)),
            place_of("0.9", &clock(name))
        )
    };
    let count = |what: &str, from: &str| {
        format!(
            "(SELECT coalesce(jsonb_object_agg(name, n), '{{}}') FROM (SELECT {what} AS name, count(*) AS n FROM {from} GROUP BY 1) c)"
        )
    };
    let t = "(SELECT k.*, q.at, q.channel FROM q JOIN ticket k ON k.id = q.ticket_id) t";
    format!(
        "WITH f AS ({FIRST}), q AS (SELECT * FROM f WHERE at BETWEEN {QUARTER} AND {only})
         SELECT jsonb_build_object(
            'tickets', (SELECT count(*) FROM q),
            'tickets_before', (SELECT count(*) FROM f WHERE at < '2026-07-01'::timestamp AT TIME ZONE 'Europe/Helsinki' AND {only}),
            'closed', (SELECT count(*) FROM {t} WHERE state = 'closed'),
            'kinds', {}, 'problems', {}, 'feedback', {}, 'priorities', {}, 'channels', {}, 'days', {},
            'customers', {}, 'first_answer', {}, 'solution', {}, 'wait_median', {}, 'wait_p90', {},
            'feedback_tickets', (SELECT count(*) FROM {t} WHERE feedback <> '{{}}')
         )::text",
        count("kind", &format!("(SELECT unnest(kind) AS kind FROM {t}) u")),
        count("fault_kind", &format!("(SELECT * FROM {t} WHERE 'problem' = ANY(kind)) u")),
        count("feedback", &format!("(SELECT unnest(feedback) AS feedback FROM {t}) u")),
        count("priority", t),
        count("channel", "q"),
        count("to_char(at AT TIME ZONE 'Europe/Helsinki', 'YYYY-MM-DD')", "q"),
        count("coalesce(organisation, '')", "q"),
        promised("first_answer"),
        promised("solution"),
        place_of("0.5", answered),
        place_of("0.9", answered),
    )
}

/// The same numbers of a report.
fn numbers(report: &Value) -> Value {
    let named = |list: &str, name: &str| {
        let lines = report[list].as_array().map(Vec::as_slice).unwrap_or_default();
        let some = lines.iter().filter(|line| line["tickets"] != 0 && line[name] != "none");
        some.map(|line| (line[name].as_str().unwrap_or_default().to_owned(), line["tickets"].clone()))
            .collect::<serde_json::Map<_, _>>()
    };
    let promised = |clock: &str| {
        let lines = report["promises"].as_array().expect("promises");
        let mut line = lines.iter().find(|line| line["clock"] == clock).expect("one of it").clone();
        line.as_object_mut().expect("an object").retain(|key, _| key != "clock" && key != "target_s");
        line
    };
    let waited = &report["waits"][0];
    json!({"tickets": report["tickets"], "tickets_before": report["tickets_before"], "closed": report["closed"], "kinds": named("kinds", "name"),
        "problems": named("problems", "name"), "feedback": named("feedback_kinds", "name"), "priorities": named("priorities", "name"),
        "channels": named("channels", "name"), "days": named("days", "day"), "customers": named("customers", "organisation"),
        "first_answer": promised("first_answer"), "solution": promised("solution"), "wait_median": waited["median_s"],
        "wait_p90": waited["p90_s"], "feedback_tickets": report["feedback"].as_array().expect("feedback").len()})
}

async fn expected(place: &Place, only: &str) -> Value {
    let texts = place.texts(Box::leak(independent(only).into_boxed_str())).await;
    serde_json::from_str(&texts[0]).expect("JSON")
}

#[tokio::test]
async fn a_quarter_is_what_independent_sql_counts() {
    let place = desk(240).await;
    let report = place.row(&["report", "--period", "2026-Q3"]);
    let all = expected(&place, "true").await;
    assert_eq!(numbers(&report), all);
    let n = |value: &Value| value.as_i64().expect("a number");
    assert!(
        n(&report["tickets"]) > 150 && n(&all["first_answer"]["breached"]) > 20 && n(&all["first_answer"]["met"]) > 20,
        "{all}"
    );
    assert!(n(&all["solution"]["paused"]) > 3 && all["customers"].as_object().expect("customers").len() == 9, "{all}");
    // The same views, for whoever asks them: one row a ticket, one row a promise.
    let viewed = place
        .count("SELECT count(*) FROM report_ticket WHERE asked_at >= '2026-06-30T21:00:00Z' AND asked_at < '2026-09-30T21:00:00Z'")
        .await;
    assert_eq!(viewed, n(&report["tickets"]));
    let breached: i64 = report["promises"].as_array().expect("promises").iter().map(|line| n(&line["breached"])).sum();
    assert_eq!(
        place.count("SELECT count(*) FROM report_clock WHERE state = 'breached' AND started_at >= '2026-06-30T21:00:00Z' AND started_at < '2026-09-30T21:00:00Z'").await,
        breached
    );
    let breaches = report["breaches"].as_array().expect("breaches");
    assert_eq!(i64::try_from(breaches.len()).expect("few"), breached.min(200));
    assert!(breaches.is_sorted_by_key(|line| std::cmp::Reverse(line["due_at"].as_str().map(str::to_owned))));
    // What recurs is what was made to.
    let subject = &report["subjects"][0];
    assert!(subject["words"].to_string().contains("kuittitulostin"), "{}", report["subjects"]);
    // Of one customer.
    let one = place.row(&["report", "--period", "2026-Q3", "--organisation", "Firma3.example"]);
    let mut of_one = expected(&place, "organisation = 'firma3.example'").await;
    of_one["customers"] = json!({});
    assert_eq!(numbers(&one), of_one);
    // Three months are the quarter.
    let months = ["2026-07", "2026-08", "2026-09"].map(|month| place.row(&["report", "--period", month]));
    assert_eq!(months.iter().map(|month| n(&month["tickets"])).sum::<i64>(), n(&report["tickets"]));
    assert_eq!(months[1]["tickets_before"], months[0]["tickets"]);
}

#[tokio::test]
async fn every_form_tells_the_same_and_nothing_in_it_acts() {
    let place = desk(60).await;
    let asked = ["report", "--period", "2026-Q3", "--texts"];
    let report = place.row(&asked);
    let tickets = report["tickets"].as_i64().expect("a number");
    let with = |more: &[&str]| place.run(&[&asked, more].concat());
    let table = with(&[]);
    assert!(table.contains(&format!("{tickets} tickets (")) && table.contains("first_answer"), "{table}");

    with(&["--out", "q3.csv"]);
    let csv = fs::read_to_string(place.path("q3.csv")).expect("written");
    assert!(csv.contains(&format!("report,,tickets,{tickets}\r\n")), "{csv}");
    let timeless = |csv: &str| {
        csv.lines().filter(|line| !line.starts_with("report,,as_of")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(timeless(&csv), timeless(&with(&["--format", "csv"])));
    assert!(
        !csv.lines().any(|line| line.split(',').any(|cell| cell.trim_start_matches('"').starts_with("=H"))),
        "{csv}"
    );

    for (language, word) in [("fi", "Rikotut lupaukset"), ("sv", "Brutna löften"), ("en", "Promises not kept")] {
        let html = with(&["--format", "html", "--language", language]);
        assert!(html.contains(word) && html.contains(&format!("<html lang=\"{language}\">")), "{language}");
        assert!(!html.contains("<script") && html.contains("&#60;script&#62;alert(1)"), "{language}");
        assert!(!html.contains("src=") && !html.contains("href=") && !html.contains("url("), "it loads something");
        assert_eq!(html.matches("<svg").count(), 3);
    }
    assert!(
        !place.run(&["report", "--period", "2026-Q3", "--format", "html"]).contains("class=\"said\""),
        "texts that nobody asked for"
    );

    let refused = |arguments: &[&str]| {
        let output = place.command(arguments).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (arguments, says) in [
        (&["report", "--period", "Q3"][..], "is no period: write 2026"),
        (&["report", "--period", "2026-Q3", "--out", "q3.pdf"], "name it .html, .csv or .json"),
        (&["report", "--tenant", "nobody"], "no channel and no mirror has the tenant"),
        (&["dust", "--format", "csv"], "only `lanka report` writes CSV and HTML"),
        (&["report", "--out", "nowhere/q3.csv"], "cannot be written"),
    ] {
        let (code, said) = refused(arguments);
        assert!(code != Some(0) && said.contains(says), "{arguments:?}: {code:?} {said}");
    }
    // Of a time when nothing was.
    let none = place.row(&["report", "--period", "2020"]);
    assert_eq!((&none["tickets"], &none["promises"], &none["subjects"]), (&json!(0), &json!([]), &json!([])));
    place.run(&["report", "--period", "2020", "--format", "html"]);
    place.run(&["report", "--period", "2020"]);
}
