//! Common family names, and how much it says that two people share one.
//!
//! Bits are in the manner of IDENTITY.md 4.2: four for the names that everybody knows several bearers of,
//! eleven for one that is met once in a working life. They rank and explain; they are not the
//! logarithm of a frequency.
//!
//! **Invariant:** no name is worth less than [`BITS_MIN`] nor more than [`BITS_MAX`]. Written from general
//! knowledge of the countries' commonest names; within a line order means nothing.

use super::words::fold;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Bits of the commonest family names, and of a given name alone.
pub const BITS_MIN: i16 = 4;
/// Bits of a family name that is in no list and has no ending in common use.
pub const BITS_MAX: i16 = 11;
/// Bits of an unlisted name with a common ending: there are many such, each of few.
const BITS_ENDING: i16 = 10;

/// Bits of a folded family name.
pub fn bits(folded: &str) -> i16 {
    match COMMON.get(folded) {
        Some(bits) => *bits,
        None if has_ending(folded) => BITS_ENDING,
        None => BITS_MAX,
    }
}

/// Whether the folded word is a common family name.
pub fn is_common(folded: &str) -> bool {
    COMMON.contains_key(folded)
}

/// Whether the folded word is a common family name or ends like one.
pub fn is_family(folded: &str) -> bool {
    is_common(folded) || has_ending(folded)
}

/// Whether two folded words are spellings of one family name that letters alone do not tell.
pub fn are_one(one: &str, other: &str) -> bool {
    SPELLINGS.iter().any(|names| names.contains(&one) && names.contains(&other))
}

fn has_ending(folded: &str) -> bool {
    folded.len() > 5 && ENDINGS.iter().any(|ending| folded.ends_with(ending))
}

/// Endings that hardly any given name has.
const ENDINGS: &[&str] = &[
    "nen", "sson", "qvist", "kvist", "quist", "strom", "berg", "lund", "gren", "stedt", "rinne", "niemi", "jarvi",
    "maki", "lahti", "saari", "koski", "ranta", "salmi", "harju", "vuori", "kangas", "korpi", "pelto", "maa", "magi",
    "saar", "mets", "puu", "ov", "ova", "ev", "eva", "enko", "skaya", "skaja", "mann", "meier", "meyer", "muller",
    "bauer", "stein", "feld", "hardt", "ington", "worth", "ford", "field", "wood", "shaw", "ley",
];

/// Names that are written in several ways, in no sound different.
const SPELLINGS: &[&[&str]] = &[
    &["clark", "clarke"],
    &["brown", "browne"],
    &["green", "greene"],
    &["smith", "smyth", "smythe"],
    &["reid", "read", "reed"],
    &["thompson", "thomson"],
    &["davis", "davies"],
    &["stewart", "stuart"],
    &["phillips", "philips"],
    &["schmidt", "schmitt", "schmid"],
    &["nielsen", "nilsen"],
    &["maki", "makki"],
    &["meyer", "meier", "maier", "mayer"],
    &["becker", "bekker"],
    &["hofmann", "hoffmann", "hoffman", "hofman"],
    &["hansson", "hanson"],
    &["jonsson", "jonson", "johnsson"],
    &["macdonald", "mcdonald"],
    &["obrien", "obrian"],
    &["matthews", "mathews"],
    &["nicholson", "nicolson"],
    &["lewis", "louis"],
];

static COMMON: LazyLock<HashMap<String, i16>> = LazyLock::new(|| {
    let lines = COMMON_BY_BITS.lines().filter_map(|line| line.split_once(':'));
    lines
        .filter_map(|(bits, names)| Some((bits.trim().parse::<i16>().ok()?, names)))
        .flat_map(|(bits, names)| names.split_whitespace().map(move |name| (fold(name), bits)))
        // A name on several lines is as common as its commonest bearers make it.
        .fold(HashMap::new(), |mut common, (name, bits)| {
            let known = common.entry(name).or_insert(bits);
            *known = bits.min(*known);
            common
        })
});

/// `bits: names`, line by line Finnish, Swedish, Estonian, English, German, Russian.
const COMMON_BY_BITS: &str = "
4: virtanen korhonen nieminen mäkinen mäkelä hämäläinen laine heikkinen koskinen järvinen
4: johansson andersson karlsson nilsson eriksson larsson
4: tamm ivanov saar sepp mägi
4: smith jones williams brown taylor
4: müller schmidt schneider fischer weber
4: ivanova smirnov smirnova kuznetsov kuznetsova petrov petrova
5: lehtonen lehtinen saarinen salminen heinonen niemi heikkilä kinnunen salonen turunen salo laitinen
5: olsson persson svensson gustafsson pettersson lindberg lindström jansson
5: kask kukk rebane ilves pärn koppel
5: davies wilson evans thomas johnson roberts walker wright robinson thompson white hughes edwards green
5: meyer wagner becker schulz hoffmann schäfer koch bauer richter klein wolf
5: popov popova sokolov sokolova lebedev lebedeva kozlov kozlova novikov novikova morozov morozova volkov volkova
6: tuominen rantanen karjalainen jokinen mattila savolainen lahtinen ahonen ojala leppänen väisänen hiltunen
6: kallio leinonen miettinen pitkänen aaltonen manninen koivisto anttila laaksonen hirvonen räsänen toivonen
6: lehto laakso aalto rantala peltonen mustonen hakala moilanen nurminen kemppainen partanen lampinen
6: hansson bengtsson jönsson lindgren berg bergström lundberg lindqvist axelsson berglund fredriksson sandberg
6: vaher kivi lepik oja raudsepp kuusk karu luik mets mölder vaino
6: hall wood harris lewis martin jackson clarke clark turner hill cooper morris ward moore king watson baker
6: schröder neumann schwarz zimmermann braun krüger hofmann hartmann lange schmitt werner krause meier lehmann
6: solovyov solovyova vasilyev vasilyeva zaitsev zaitseva pavlov pavlova semyonov semyonova golubev golubeva
6: vinogradov vinogradova bogdanov bogdanova vorobyov fyodorov fedorov fedorova mikhailov mikhailova
7: rissanen kettunen niskanen martikainen seppälä karvonen ruotsalainen halonen jääskeläinen pesonen keränen
7: laukkanen pulkkinen kauppinen mikkonen honkanen huttunen parviainen hyvönen heiskanen väänänen karppinen
7: suominen kokkonen immonen lappalainen jaakkola toivanen rautiainen eskelinen koskela koski lahti niemelä
7: vainio peltola ranta autio ikonen hytönen oksanen nurmi mäki hietala haapala soininen nurmela kärkkäinen
7: forsberg sjöberg wallin engström danielsson håkansson eklund lundin gunnarsson holm björk fransson wikström
7: bergman samuelsson isaksson nyström holmberg löfgren söderberg nyberg blomqvist claesson mårtensson nordström
7: lundström viklund eliasson pålsson berggren sandström lund nordin ström åberg hermansson ekström holmgren
7: pukk kallas kuusik põld teder lill laas rand peterson roos sild õunapuu kangur org uibo allik aas raud kurg
7: parts põder unt tomson jõgi lepp leppik toom käär raid kask ots lind must
7: harrison morgan patel young allen mitchell james anderson phillips lee bell parker davis bennett miller cook
7: shaw cox richardson marshall collins carter wilkinson simpson murphy scott ellis gray mason hunt mills price
7: schmid schulze maier köhler herrmann könig walter mayer huber kaiser fuchs peters lang scholz möller weiß jung
7: hahn schubert vogel friedrich keller günther frank berger winkler roth beck lorenz baumann franke albrecht
7: belyaev belyaeva tarasov tarasova belov belova komarov komarova orlov orlova kiselyov kiseleva makarov makarova
7: andreev andreeva kovalyov kovaleva ilyin ilyina gusev guseva titov titova kuzmin kuzmina nikitin nikitina
8: laaksonen kolehmainen ylönen eronen tervo sillanpää kivelä kivinen hänninen vesterinen ahola tikkanen holopainen
8: pelkonen penttinen rajala rinne kuusela viitala lindholm backman nyman sundström sundberg granlund westerlund
8: åström rönnqvist häggblom söderholm grönroos lönnqvist holmström hellström fagerström sjöblom grönlund öberg
8: ek dahl ohlsson hansen jansen fors höglund hedlund falk norberg sundqvist björklund lundgren ahlström strand
8: lõhmus valk sarapuu kaasik viira saks adamson liiv kruus paju sokk sööt tali kirs lääne palm kalda
8: knight stevens palmer lloyd foster holmes barnes fisher webb chapman butler russell barker graham mcdonald gibson
8: stone fox dean rose wells day burton freeman hudson murray ford spencer west barber harvey kelly reid wallace
8: schuster winter krämer vogt stein jäger otto sommer groß seidel heinrich brandt haas schreiber graf dietrich
8: ziegler kuhn kühn pohl engel horn busch bergmann voigt sauer arnold wolff pfeiffer böhm lindner schröter
8: sorokin sorokina baranov baranova medvedev medvedeva antonov antonova filippov filippova zhukov zhukova romanov
8: romanova stepanov stepanova yakovlev grigoriev nikolaev nikolaeva egorov egorova sidorov sidorova frolov frolova
9: lehtola lahti lindroos rantala ronkainen kuronen koskinen salmela salmi suvanto virta vuori vuorinen vuorela
9: kangas kankaanpää korpela korpi kauppila kantola jussila junttila ilola hakkarainen haavisto halme harju hautala
9: heino hietanen hirvi holma huhtala huttula ikävalko isotalo jalonen jaatinen järvi kaartinen kalliokoski kanerva
9: kare karhu karppi katajisto ketola kiiski kilpeläinen kivistö kokko kujala kurki kuusisto kärki lampi lampinen
9: lappi lassila latvala lepistö levonen lindfors luoma lähde malinen malmi markkanen matikainen mattinen melin
9: murtonen mäntylä mäntynen nevala nikkilä nikula nissinen nyqvist olkkonen paananen pajunen pakkanen palo
9: parkkinen pasanen pekkala pelto peltokangas perälä pietilä pihlaja pohjola poikonen porkka puranen pursiainen
9: puustinen pöyhönen raitanen rautio repo reinikainen rintala roine roivas rossi ruuska räty saari saarela saario
9: salminen santala savola sipilä sirkka sirola siltanen sorsa suhonen sundell suomela taipale takala talvitie
9: tanskanen tamminen tarvainen tenhunen teräs timonen toivola toiviainen torvinen tuomi tuomela tuomisto tyni
9: uusitalo uotila vaara valkonen valli vanhala varis vartiainen vatanen vehmas venäläinen vepsäläinen viitanen
9: vilkko vilén virkkunen vähä ylitalo
9: borg bergqvist björkman boman broman brandt blom blomberg byström carlberg cederberg dahlberg dahlgren dahlström
9: edlund ekholm ekman eklöf enberg engblom englund enqvist fagerlund finne forsman forsström friman frisk
9: grahn granholm granqvist hagberg haglund hagman hallberg hammar hedberg hedman hedström helander henriksson
9: hägglund höglind jakobsson johnsson jonsson kronqvist kullberg lagerström landström liljeström lindblad lindblom
9: lindén lindell linder lindroth lindfors ljung ljungberg lundell lundholm lundmark löfström malm malmberg
9: malmström mattsson melander moberg molander månsson nilsen nord nordberg nordlund nordman norrgård norrman
9: nylund nyholm norrby näslund ohlin ohlson palmgren palmqvist rask rehn rosén rosenberg rosenlund rosenqvist rundqvist
9: sahlin sandell sandvik selin sjö sjölund skog skoglund snellman stenberg stenman strandberg ståhl sundell sundin
9: svanberg svanström söder söderlund söderström thelin tallberg wahlberg wahlström wallén wallenius west westberg
9: wiklund wallgren winter öhman öhrn österberg österlund östman
9: aas aav ader alas ansip arro aru avik hein hallik ilus jaanus jaanson jakobson jürgenson järv järve kaur kaasik
9: kalamees kaldma kallaste kann kapp karp kase kasemets kasesalu kass kaske keskküla kesküla kihno kiik kiisk kilk
9: kirsipuu klaas kokk kool koort kotkas kress kroon kross krull kruuse kull kurm kuul kuuse kuusemäe kõiv kõrb käär laar laan
9: laanemets laur leht lehtmets lember lensment leppmets liblik liin lillemets linnas linnamäe loik luts luht lutter
9: maasik mardi markus männik männi mändla müür niin noor nurk nurme nõmm oras orav ots paas paal palu parve peet pihlak
9: piir pikk poom prants priks puusepp pärna pärnaste põldmäe põldsaar raadik raag rahn raja ratas reinsalu
9: reimann roosileht ruus rätsep saare saarmets salu sarv siimann sikk sillaste sibul soo sooba soosaar suvi taal taimre
9: tamme tammik tammsaar tiik tiits tilk toots treial treier tuisk tõnisson urb valge vares veski viik vilu võsu
9: õispuu õun
9: abbott adams aldridge alexander andrews archer ashton atkins austin ball bates bishop blackburn booth bradley
9: brooks bryant burke burns burrows byrne campbell carr chambers cole coleman conway coates crawford cross
9: cunningham curtis dawson dixon donnelly doyle duncan dunn dyer eaton elliott ellison farrell ferguson finch
9: fleming fletcher frost gardner garner gilbert gill goddard gordon griffiths hamilton hancock harding hardy harper
9: harrington harrop hart hartley hawkins hayes haynes henderson hewitt higgins hobbs hodgson holland holt hopkins
9: howard howe howell hughes humphreys hurst hutchinson irving jarvis jenkins jennings johnston johnstone kemp kennedy
9: kerr kirby lamb lambert lane lawrence lawson little long lowe lucas lynch macdonald mann march marsh marlow
9: mason matthews maxwell may mccarthy mclean mellor miles moss murray nash nelson newman newton nicholls nolan
9: norris norton oconnor obrien oneill osborne owen page parkin parsons payne pearce pearson perkins perry pike
9: platt pollard poole porter potter powell pratt preston pritchard pugh quinn randall reeve reeves reynolds rice
9: riley robertson robins robbins rogers rowe ryan sanders saunders savage sharp sharpe shepherd short simmons sims
9: sinclair slater spence stephens stephenson stokes storey sullivan sutton swift tanner tate thorpe townsend tucker turnbull
9: tyler underwood wade wall waller walsh walters walton warren waters watts weaver weston wheeler whitaker
9: whitehead wilkins willis winter woods wright wyatt yates
9: adler ahrens bach bader baier barth bartsch baumgartner bayer beyer beck behrens berg bernhardt binder bischof
9: blum bock bohn brandl breuer brinkmann bruns brunner buchholz burger burkhardt carstens christ dahlmann decker
9: diehl dreher ebert eberhardt eckert ehlers eder erdmann ernst esser fiedler fichtner fink fleischer förster franz
9: freund fricke fritz fröhlich funk gebauer gebhardt geiger geißler gerber gerlach giese glaser götz graf grimm gruber
9: gärtner haase hagen hammer hauser heil hein heine heinemann heinz heller hempel henkel hennig herbst herold hermann
9: heß heuer hinz hirsch hohmann horst huber jahn janssen jost kaufmann kern kessler kirchner kirsch klaus kling
9: knoll kolb konrad kopp kraft kramer kraus krebs kremer kroll kruse kunz kunze kurz langer lauer lechner lehmann
9: lemke link löffler ludwig lutz maurer mertens metz metzger michel mohr moser nagel naumann neubauer nickel noack nowak
9: ott pape paul petersen petzold popp preuß probst rademacher raab rauch rausch reich reichert reimann reimer
9: reinhardt reuter riedel rieger ritter rohde röder rose rudolph runge sander schade scheffler schenk scherer
9: schiller schilling schindler schlegel schlüter schmitz schön schott schramm schröter schubert schuhmacher schultz schumacher schuler
9: schütz schwab schwarz seifert seitz siebert simon singer sonntag springer stadler stahl stark steffen steinbach steiner
9: stephan stoll straub straße strobel thiel thiele thomas timm ulrich unger urban voss wagner walther weger weidner weiler weis wendt
9: wenzel werner weiss wiegand wieland wiese wilhelm wilke will wimmer winkler winter wirth witt wittmann wolter wulf
9: wunderlich zander zeller ziegler zimmer zimmerer
9: abramov alekseev aleksandrov aksenov afanasyev antipov artemyev belkin belkina belyakov biryukov bobrov borisov borisova bykov
9: chernov chernova danilov danilova demidov denisov denisova dmitriev dorofeev ershov efimov fomin gavrilov gerasimov
9: gorbunov grigoryev gromov guryev isaev ivashkin kalinin kalashnikov karpov kazakov kolesnikov kolosov kolosova konovalov korolev
9: korolyov kotov kotova krylov kryukov kulikov kudryavtsev lapin larin lazarev leonov loginov lukin maksimov markov martynov
9: matveev medvedev melnikov mironov moiseev moroshkin naumov nesterov noskov osipov osipova ovchinnikov panov panova
9: panin pavlenko petukhov polyakov ponomarev potapov prokhorov rodionov ryabov rybakov savchenko saveliev scherbakov shubin
9: sergeev shestakov shevchenko simonov sobolev soloviev suvorov tikhonov tikhonova timofeev tretyakov trofimov tsvetkov
9: ushakov vlasov vlasova voronin voronov zakharov zaytsev zimin zotov zuev zueva zykov
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commoner_the_fewer_bits() {
        for (name, expected) in [
            ("Virtanen", 4),
            ("Müller", 4),
            ("Lindberg", 5),
            ("Räsänen", 6),
            ("Kuusik", 7),
            ("Barber", 8),
            ("Suvantonen", 10),
            ("Rautkoski", 10),
            ("Adeyemi", 11),
        ] {
            assert_eq!(bits(&fold(name)), expected, "{name}");
        }
    }

    #[test]
    fn every_line_has_bits_and_names() {
        for line in COMMON_BY_BITS.lines().filter(|line| !line.is_empty()) {
            let (bits, names) = line.split_once(": ").expect(line);
            assert!((BITS_MIN..BITS_ENDING).contains(&bits.parse().expect(line)) && !names.is_empty(), "{line}");
        }
    }
}
