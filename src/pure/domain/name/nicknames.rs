//! Short and everyday forms of given names, and spellings of one name in several languages.
//!
//! A line of [`SHORT_FORMS`] is a name and, behind the colon, what its bearers are called. One form
//! may stand on several lines (Kalle is Kaarlo in Finland, Karl in Sweden). Two forms of one name do
//! not agree with each other: Liisa and Betty are both Elisabet and hardly one person.
//!
//! Written from general knowledge of everyday usage. Somali spellings stand beside Arabic ones (its *x* is an h, its
//! *c* an ayin): one person has both, as passports were issued.
//!
//! **Invariant:** a line says that one person is called both, never that two names have one origin:
//! Johannes and Ivan have.

use super::words::fold;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Whether one of two folded words is the short form of the other.
pub fn is_short_form(one: &str, other: &str) -> bool {
    let of = |name: &str, form: &str| FORMS.get(name).is_some_and(|forms| forms.contains(form));
    of(one, other) || of(other, one)
}

/// Whether two folded words are spellings of one name.
pub fn is_spelling(one: &str, other: &str) -> bool {
    let groups = |word: &str| GROUPS.get(word).map_or(&[][..], Vec::as_slice);
    groups(one).iter().any(|group| groups(other).contains(group))
}

/// Whether two folded words look like spellings of one name and are two names.
pub fn are_two(one: &str, other: &str) -> bool {
    one != other && TWO.iter().any(|names| names.contains(one) && names.contains(other))
}

/// Every name and form of the tables, as written.
pub fn all() -> impl Iterator<Item = &'static str> {
    let forms = SHORT_FORMS.split(|c: char| c.is_whitespace() || c == ':');
    forms.chain(SPELLINGS.split_whitespace()).filter(|word| !word.is_empty())
}

static FORMS: LazyLock<HashMap<String, HashSet<String>>> = LazyLock::new(|| {
    let mut forms: HashMap<String, HashSet<String>> = HashMap::new();
    for (name, short) in SHORT_FORMS.lines().filter_map(|line| line.split_once(':')) {
        forms.entry(fold(name.trim())).or_default().extend(short.split_whitespace().map(fold));
    }
    // What Jekaterina is called Ekaterina is called too.
    for line in SPELLINGS.lines() {
        let spellings: Vec<String> = line.split_whitespace().map(fold).collect();
        let of_all = |name: &String| forms.get(name).cloned().unwrap_or_default();
        let all: HashSet<String> = spellings.iter().flat_map(of_all).collect();
        for name in spellings.into_iter().filter(|_| !all.is_empty()) {
            forms.insert(name, all.clone());
        }
    }
    forms
});

static GROUPS: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    for (group, line) in SPELLINGS.lines().enumerate() {
        for word in line.split_whitespace() {
            groups.entry(fold(word)).or_default().push(group);
        }
    }
    groups
});

static TWO: LazyLock<Vec<HashSet<String>>> =
    LazyLock::new(|| TWO_NAMES.lines().map(|line| line.split_whitespace().map(fold).collect()).collect());

/// A name, and what its bearers are called.
const SHORT_FORMS: &str = "
aleksander: alex aleks ale sass aleksi
aleksanteri: aleksi alex ale santeri santtu
aleksi: alex ale aleksis
andreas: antti andi andy ande
anneli: annu nelli
annikki: anni annu
antero: antti ana
antti: ana antsa
armas: arska
arto: arska artsi
elina: ella elli ellu eltsu
elisabet: elisa liisa lisa liisi elli lissu
emilia: emmi milla mimmi
emma: emmi emppu
erkki: eki
eveliina: eve
hannele: hanne
hannu: hanski
heidi: hede heidu
heikki: hessu heka hese
helena: leena lena heli helka hellu
henri: henkka
henrik: henkka heikki henke henka
henriikka: riikka henna
hilkka: hilu
ilkka: ile
ilmari: ile immu
jaakko: jaska jaakoppi jake
jaana: jantsa
jari: jartsa
jarmo: jamo
jenni: jenna jentsu
johanna: hanna joksu jossu
johannes: jussi johan hannes hans juhannes
jonna: jontsu
joona: jopi
joonas: jone jonttu
jouko: joke
juha: juhis jussi juhana
juhani: juha jussi
juho: jussi
jukka: juge
kaarina: kaisu
kaarle: kalle
kaarlo: kalle kaarle
kalervo: kale kallu
kalevi: kale kallu
karoliina: karo kaju liina
katariina: kati kata kaisa katri
katri: kati
kimmo: kimi kimppa
kirsi: kirre
kristian: krisse kride
kristiina: kristi tiina kirsti krisse stina kiki
lauri: lasse late lassi
lasse: late
liisa: lissu liisu
margareeta: reetta greta
margit: maiju
maria: maija maiju maikki maisa
marianne: marjanne
markku: make
marko: make
markus: make
martti: masa
matti: masa
mika: mikki
mikael: mika mike miku
mikko: miksu mikki
minna: minttu minski
mirka: mirkku
mirkka: mirkku
niina: nina ninni
niklas: nikke niko
niko: nikke nipa
nikolas: niko
olavi: olli ola olka
oskari: osku oskar
paavo: pave
pasi: pasa
pauliina: paula
pekka: peku pexi
pertti: pera
petra: petu
petri: pete petteri
petteri: pete peetu
piia: pipsa
raimo: raikku
reijo: reka
riikka: riksu
riitta: rita riksu
risto: rike ripa
samuel: sami samu samppa samuli
samuli: sami samu samppa
sanna: santsu sannu
santeri: santtu sande
sari: sartsa
sebastian: sepi sebu seba
seppo: sepi sepe
sinikka: sini
sofia: sohvi sofi fia
susanna: sanna sussu suski susu
tapani: tapsa
tapio: tapsa
tatu: tatski
teemu: tepa
terhi: tepa
timo: tinde timppa
tobias: topi
toni: tonza
topias: topi
tuomas: tume tumppi
tuomo: tume
tuulikki: tuuli tuulia
valtteri: valtsu valde
veikko: veka
verneri: verna
vilhelm: ville
vilhelmiina: miina vilma mimmi
vilho: ville
agneta: neta
alexander: alex alle lex xander sandy al sascha
alexandra: alex sandra alexa
anders: adde ankan andy
barbro: babs babben
bengt: benke bengan
birgitta: gittan bibbi britta gitta
bjorn: bjorne nalle
bo: bosse
carolina: carro lina
caroline: carro
charlotta: lotta lotten charlie
charlotte: lotta lotten charlie lottie
christer: chrille
christina: kicki stina tina chris chrissy tina
daniel: danne dan danny dani
elisabeth: lisbeth lisbet lisa lisen bettan elsa elise lisa sisi liesel
erik: erka jerka
eva: evis
filip: fille
fredrik: fredde frille fred
gabriella: gabbi ella
goran: goje
gunilla: nilla
gustav: gurra gusten gosta
gustaf: gurra gusten gosta
hans: hasse
helene: lena
ingrid: inga
jan: janne
joakim: jocke
johan: janne jojje
johannes: johan jojje
jonas: jompa jonte
karin: kajsa
karl: kalle charlie
katarina: katta kattis kajsa kata
kerstin: kicki
kristina: kicki stina tina kia kiki kristi
kristoffer: kricke stoffe kride
lars: lasse
leif: leffe
lennart: lelle
linnea: linn nea
magnus: mange
malin: malla
margareta: maggan greta meta marge margit
maria: mia maja mimmi
marie: mia
matilda: tilda tilly
mats: matte
mattias: matte
mikael: micke mika
michael: micke mike mick micha michi mikey mickey
nils: nisse
oskar: ossi oskis
patrik: putte pat
per: pelle
peter: pelle peppe pete piet
pontus: ponta
robert: robban bob rob bobby robbie bert
roger: rogge
rolf: roffe
sofia: fia soffi
stefan: steffe
susanne: sussie sanna susi sanne
sven: svenne
thomas: tom tommy tompa tommie
tomas: tom tommy tompa
torbjorn: tobbe
ulf: uffe
ulla: ulle
ulrika: ulrike
viktor: vicke
viktoria: vickan vicky vika
aleksandra: alex sandra
anton: tonu tonis
eduard: edu
evelin: eve
hendrik: henn henn
jakob: jaak jaagup jacke
janika: jana
johannes: juhan
juri: juka
kaarel: kalle
karoliina: karo
katariina: kata kadri kati
katrin: kati kadi kata
kristiina: kristi kiki tiina
kristjan: kris
margareeta: margit greta reet
margarete: margit grete
mari: mann
mihkel: mihk miku
priidik: priit
rasmus: rass
sander: sass
taavet: taavi
toomas: tom toomi
ulrike: ulla uli rike
abigail: abby abbie gail
abraham: abe
albert: al bert bertie
alfred: alf fred alfie
alice: ali
alison: ali
amanda: mandy
andrew: andy drew
angela: angie
anna: annie anja anya annika anouk
anne: annie
ann: annie
anthony: tony ant
antonia: toni
archibald: archie
arthur: art artie
barbara: barb barbie babs
beatrice: bea trixie
benjamin: ben benny benji
bernard: bernie
bethany: beth
bradley: brad
catherine: cathy kate cat katie kathy
charles: charlie chuck chas chaz
christian: chris
christine: chris chrissie tina
christopher: chris kit topher
cynthia: cindy
danielle: dani
david: dave davy davie
deborah: debbie deb debs
donald: don donny
dorothy: dot dotty dolly
douglas: doug
edward: ed eddie ted ned teddy
edwin: ed eddie
edmund: ed ned ted
eleanor: ellie nell nora
elizabeth: liz lizzie beth betty eliza libby lisa bess betsy ellie elsie lizzy
emily: em emmy
eugene: gene
ezekiel: zeke
florence: flo
frances: fran franny
francis: frank fran
franklin: frank
frederick: fred freddie freddy
gabriel: gabe
geoffrey: geoff
gerald: gerry jerry
gillian: gill jill
gregory: greg
gwendolyn: gwen
harold: harry hal
henry: harry hal hank
isaac: ike
isabella: izzy bella
isabel: izzy
jacob: jake
jacqueline: jackie
james: jim jimmy jamie jem
jane: janie
jeffrey: jeff
jennifer: jenny jen jenni jennie
jeremy: jerry jez
jessica: jess jessie
jonathan: jon jonny
john: jack johnny jon
joseph: joe joey
josephine: jo josie
joshua: josh
judith: judy
katherine: kate kathy katie kay kitty kat kath
kathleen: kathy kath
kenneth: ken kenny
kimberly: kim
kimberley: kim
laurence: larry laurie
lawrence: larry laurie
leonard: len leo lenny
leslie: les
lillian: lily lil
louis: lou
louise: lou
lucille: lucy
madeleine: maddie
margaret: maggie meg peggy peg marge margie madge daisy greta
martin: marty
mary: molly polly may mae
martha: marty
matthew: matt mat
maximilian: max maxi
melanie: mel
melissa: mel missy
michelle: shelly
mildred: millie
nancy: nan
natalie: nat
nathan: nate nat
nathaniel: nate nat nathan
nicholas: nick nicky
nicola: nicky nikki
nicole: nicky nikki
oliver: ollie olly
olivia: liv livvy ollie
pamela: pam
patricia: pat patty trish tricia
patrick: pat paddy
penelope: penny
philip: phil pip
phillip: phil
priscilla: cilla
rachel: rach
raymond: ray
rebecca: becky becca bec becks
reginald: reg reggie
richard: dick rick rich ricky richie
roberta: bobbie
ronald: ron ronnie
rosemary: rose rosie
russell: russ
samantha: sam sammy
samuel: sam sammy
sarah: sally sal sadie
stanley: stan
stephanie: steph steffi
stephen: steve
steven: steve
stewart: stew stu
stuart: stu
susan: sue susie suzy
susannah: sue susie
suzanne: sue suzy
theodore: ted theo teddy
theresa: terry tess tessa
teresa: terry tess tessa
terence: terry
timothy: tim timmy
tracy: trace
valerie: val
veronica: ronnie
victor: vic
victoria: vicky vicki tori vic
vincent: vince vinnie
virginia: ginny
walter: walt wally walti
wilfred: wilf
william: bill billy will willie willy liam
winifred: winnie
zachary: zach zack zac
andrea: andi
angelika: geli
annegret: anne
barbel: babs
bernd: berni
bernhard: bernd berni
brigitte: gitte gitti
christiane: chris
christoph: chris stoffel
cornelia: conny nele connie
dieter: didi
dominik: domi
elisabeth: elli else elsbeth lisbeth
florian: flo flori
franziska: franzi
friedrich: fritz fried
gabriele: gabi gaby
georg: schorsch jorg
gerhard: gerd hardy
gertrud: trude traudl
gottfried: friedel
gunther: gunni
hannelore: hanne lore
heinrich: heinz heiner hein
hildegard: hilde
ingeborg: inge
irmgard: irmi irma
joachim: achim jochen jo
johann: hans hannes
johanna: hanna hanne
johannes: hans hannes
jurgen: jogi
josef: sepp josi jupp seppi beppo
karolin: karo
katharina: kathi kati kathrin katrin kaethe
klaus: klausi
leonhard: leo
ludwig: lutz wiggerl
magdalena: lena leni magda
manfred: manni manne fredi
manuela: manu
margarete: gretel grete marga greta
martina: tina
maximilian: max maxi
michaela: michi ela
monika: moni mona
nikolaus: klaus niko nik
norbert: norbi
philipp: phil
reinhard: reiner hardy
renate: nati
rosemarie: rosi
rudolf: rudi
sabine: bine
sebastian: basti seb wastl
siegfried: siggi sigi
stefanie: steffi
susanne: susi sanne
thomas: tommi
tobias: tobi
ulrich: uli ulli ueli
ursula: uschi ulla ursel
valentin: vali
veronika: vroni
volker: volki
waltraud: traudl
wilhelm: willi willy wim
wolfgang: wolfi wolf
aleksandr: sasha sascha sanya alex shura
aleksandra: sasha sascha alexa shura
aleksei: alyosha lyosha aljosha ljosha alex
anastasia: nastya nastja asya nastia
anatoli: tolya tolja tolik
andrei: andryusha andrjusha
anna: anya anja nyura anechka
antonina: tonya tonja
boris: borya borja
daria: dasha dascha
dmitri: dima mitya mitja
ekaterina: katya katja katia katerina
elena: lena lenochka aljona alyona
elizaveta: liza lisa
evgeni: zhenya zenja jenja zhenja
evgenia: zhenya zenja jenja zhenja
fedor: fedya fedja
galina: galya galja
gennadi: gena genna
georgi: gosha zhora
grigori: grisha
igor: gosha
ilja: iljusha ilyusha
irina: ira irka irisha
ivan: vanya vanja
konstantin: kostya kostja
ksenia: ksyusha ksjusha
larisa: lara
lidia: lida
ludmila: luda lyuda ljuda mila
lubov: lyuba ljuba luba
maksim: maks max
margarita: rita
maria: masha mascha marusya
mikhail: misha mischa
nadezhda: nadya nadja nadia
natalia: natasha natascha nata
nikolai: kolya kolja
oksana: ksana
olga: olya olja
pavel: pasha pascha
pjotr: petya petja
polina: polya polja
roman: roma
semjon: senja senya
sergei: seryozha serjozha serega
sofia: sonya sonja
stanislav: stas slava
stepan: styopa stjopa
svetlana: sveta
tamara: toma
tatjana: tanya tanja tania
timofei: tima
vadim: vadik
valentin: valja valya
valentina: valya valja
valeri: valera
varvara: varya varja
vasili: vasya vasja
viktor: vitya vitja
viktoria: vika
vitali: vitalik
vjatseslav: slava
vladimir: volodya volodja vova vlad
vladislav: vlad slava
jaroslav: slava jarik
jakov: jasha yasha
juri: yura jura jurij
julia: yulya julja julija
zinaida: zina
leif: leffe
oskar: ogge osse
olof: olle ogge
majken: majsan
vilhelm: wille ville
niklas: nicke nick
nicklas: nicke nick
henrik: henke
rikard: ricke rille
sanna: sannis
kerstin: kicki kickan
christina: kicki
agnieszka: agusia
aleksandra: ola olka
andrzej: jędrek andrew
antoni: antek
anna: ania hania
barbara: basia baśka
bartłomiej: bartek
bartosz: bartek
bogdan: boguś
bogusław: boguś
bożena: bożenka
czesław: czesiek
damian: damianek
danuta: danka danusia
dariusz: darek
dawid: dawidek
dorota: dorotka
elżbieta: elka
ewa: ewka ewunia
ewelina: ewela
franciszek: franek
grażyna: grażka
grzegorz: grzesiek grześ greg
hanna: hania hanka
henryk: heniek
ignacy: ignaś
irena: irka
izabela: izka
jacek: jacuś
jadwiga: jadzia
jakub: kuba kubuś
jan: janek jasiek jaś
jarosław: jarek
jerzy: jurek
joanna: aśka joasia
jolanta: jola jolka
józef: józek
julia: jula julka
justyna: justa
kamil: kamilek
karolina: karola
katarzyna: kasia kaśka kate
kazimierz: kazik
konrad: konradek
krystyna: krysia
krystian: krystek
krzysztof: krzysiek krzyś chris krzych
leszek: lesiu
łukasz: łukaszek luke
maciej: maciek
magdalena: magda madzia
małgorzata: gosia małgosia gośka margaret
marcin: marcinek
maria: marysia maryśka marycha
mariusz: maniek
marta: martusia
mateusz: mati matt
michał: misiek michałek mike
mieczysław: mietek
mikołaj: miki mikołajek
mirosław: mirek
natalia: natalka
oliwia: oliwka
patrycja: patka
patryk: patryczek
paulina: paula
paweł: pawełek
piotr: piotrek peter
przemysław: przemek przemo
radosław: radek
rafał: rafałek
ryszard: rysiek rychu
sebastian: seba
sławomir: sławek
stanisław: staszek stasiek
stefania: stefka
sylwia: sylwka
szymon: szymek
tadeusz: tadek
teresa: tereska
tomasz: tomek tomaszek tom
waldemar: waldek
weronika: wera weronka
wiesław: wiesiek
wiktor: wiktorek
władysław: władek
włodzimierz: włodek
wojciech: wojtek
zbigniew: zbyszek zbigi
zdzisław: zdzisiek
zofia: zosia zośka sophie
zuzanna: zuzia zuza
zygmunt: zygmuś
jiří: jirka
josef: pepa
kateřina: katka
tomáš: tomášek
zdeněk: zdenda
pádraig: paddy páidí pat patrick podge
patrick: paudie podge packie
bridget: bríd bridie biddy
bríd: bridie
catherine: cáit kitty caitríona
caitríona: cait trina
declan: dec
diarmuid: dermot
desmond: dessie
eamon: eddie
eilidh: ellie
fionnuala: nuala finola
gearóid: gerry
gerard: gerry
kirsty: kirst
lachlan: lachie
malachy: mal
margaret: peig mairéad
máiréad: peig
michael: mick micheál
norah: nóirín
noreen: nora
proinsias: frank
rhiannon: rhi
roderick: rory roddy
séamus: jim jimmy shay james
seamus: jim jimmy shay james
siobhán: shiv shiobhan
tadhg: tim
thomas: tomás tommy
tomás: tom tommy
alasdair: ally alistair
alistair: ally
hamish: seumas
murdo: murdie
bryony: bry
gareth: gaz gary
llewellyn: llew
angharad: ang
mohamed: mo
mohammad: mo
muhammad: mo
maxamed: mo
mahamed: mo
mehmet: memo memet mo
mustafa: musti
abdirahman: abdi cabdi
abdullah: abdul abdi apo
abdullahi: abdi abdul
abdirashid: abdi
abdirizak: abdi
abdikadir: abdi
abdikarim: abdi
abdihakim: abdi
abdifatah: abdi fatah
abdinasir: abdi nasir
abdisalam: abdi
abdiwahab: abdi
abdulrahman: abdul abdi rahman
abdulkadir: abdul abdi
abdulaziz: abdul aziz
ibrahim: ibo ibra ibbe
süleyman: sülo
hüseyin: hüso
fatma: fatoş
hatice: hatçe hatiş
zeynep: zeyno
osman: osi
alexandru: alex sandu
constantin: costel costi dinu
cristian: cristi cris
daniel: dani
florin: flo
gabriel: gabi
gheorghe: gigi ghiță george
ioan: ion nelu ionel
ionuț: ionel
mihai: mișu mihaiță
nicolae: nicu
ștefan: fane
vasile: vasi
francisco: paco pancho
ignacio: nacho
josé: pepe zé
manuel: manolo manu
dolores: lola
joão: joãozinho
inês: inesinha
goncalo: gonçalinho
";

/// One name a line, as several languages and alphabets spell it, where letters alone do not tell.
const SPELLINGS: &str = "
aleksandr aleksander alexander alexandr aleksandar
aleksandra alexandra
aleksei aleksey alexey alexei alexej aleksej
anastasia anastasiya anastassia anastassija anastasija
andrei andrey andrej
anatoli anatoly anatolij anatoliy
anne ann
arkadi arkady
artem artyom artjom
birgit brigit birgitt
bernd bernt
christel kristel
catherine katherine kathryn catharine katharine
daria darya darja
dmitri dmitry dmitriy dmitrij dimitri
egor yegor jegor
ekaterina yekaterina jekaterina
elena jelena yelena
evgeni evgeny evgeniy evgenij yevgeni yevgeny yevgeniy jevgeni jevgenij
evgenia yevgenia jevgenia evgeniya yevgeniya jevgenija evgenija
fedor fyodor fjodor feodor
fredrik frederik
galina halina
gennadi gennady gennadij gennadiy
geoffrey jeffrey
georgi georgy georgij georgiy
grigori grigory grigorij grigoriy
ilja ilya ilia
isabel isobel isabelle
jakov yakov jakob jacob
jana yana
jaroslav yaroslav
joakim joachim
jonathan jonathon
juri yuri yury yuriy jurij iurii
julia yulia iulia julija yuliya
konstantin constantin
ksenia ksenija kseniya xenia kseniia
lidia lidija lydia
lubov lyubov ljubov
ludmila lyudmila ljudmila
lyosha ljosha
maksim maxim
mathias mattias matias matthias
michael mikael
michelle michele
mikhail mihail mihhail mihails
nadezhda nadezda
natalia natalya natalja nataliya natalija nathalia
nikolai nikolay nikolaj
oksana oxana
pavel pawel
philip filip philipp phillip
pjotr pyotr petr
rachel rachael
rebecca rebecka rebekka
rita riita
semjon semyon semen
sergei sergey sergej serge
sofia sofya sofja sophia sofiya
sophie sofie
stephan stefan
stephen steven
stuart stewart
tatjana tatiana tatyana
timofei timofey
valeri valery valerij valeriy
vasili vasily vasiliy vasilij
viktoria victoria viktoriya viktorija
vitali vitaly vitalij vitaliy
vjatseslav vyacheslav vjacheslav viatcheslav
wilhelm vilhelm
elizaveta jelizaveta yelizaveta elisaveta
zofia zofja
sean shaun shawn seán séan
siobhan chevonne shevaun
niamh neve neeve
aoife eefa ifa
caoimhe keeva kweeva
ciaran kieran keiran kiaran
eoghan owen
ewan euan ewen
conor connor conchur
rory ruairi ruairidh ruaridh
mairi mhairi
maeve medb maebh meadhbh
grainne grania
roisin rosheen
sinead shinead
orla orlaith orlagh
catriona caitriona katrina
sorcha sorca
alasdair alistair alastair alister alisdair
calum callum
kirsty kirstie
mohamed mohammed muhammad muhammed mohamad mohammad maxamed mahamed mahammad muhamed mohamud
ahmed ahmad ahmet axmed achmed
hassan hasan xasan
hussein husein hussain hussien xuseen huseyin husayn
yusuf yousuf yuusuf youssef yousef jusuf
ibrahim ibraahim ibrahiim
osman uthman othman cusmaan cismaan
omar umar cumar omer
ali cali
abdi cabdi
abdirahman abdurahman abdurrahman abdulrahman abdelrahman cabdiraxmaan abdirahmaan
abdullah abdulla abdallah abdalla abdullahi cabdullaahi
abdulkadir abdikadir abdelkader cabdiqaadir
fatima fatma faduma fadumo fatuma faadumo
khadija khadijah khadiijo khadeeja
aisha ayesha ayse caasha aysha
halima xaliimo halimo xalimo
maryam maryan miriam meryem maryama
zahra zahraa sahra
zainab zeinab saynab zaynab
ismail ismaail ismael ismaciil
mustafa mostafa mustapha
said saeed siciid sayid
khalid khaled khaalid
tariq tarik tarek
yasin yassin yaasiin
jamal jamaal
leyla layla laila leila
suleyman suleiman sulayman saleebaan
mahmoud mahmud maxamuud mehmood
rashid rasheed raashid
amina aamina amiina
hodan hoodan
";

/// Names a line that letters alone would take for one name.
const TWO_NAMES: &str = "
elli eeli
emmi eemi
iina inna
jaan jan
jaana jana janna
joona jonna
maarja maria marja
mari mary
meeri meri
minna miina
saana sanna
siina sinna
ulla uula
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_name_and_its_forms() {
        for line in SHORT_FORMS.lines().filter(|line| !line.is_empty()) {
            let (name, forms) = line.split_once(':').expect(line);
            assert!(!name.is_empty() && !forms.trim().is_empty() && !name.contains(' '), "{line}");
            assert!(!forms.split_whitespace().any(|form| form == name), "{line}");
        }
        for line in SPELLINGS.lines().chain(TWO_NAMES.lines()).filter(|line| !line.is_empty()) {
            assert!(line.split_whitespace().count() > 1 && line == line.to_lowercase(), "{line}");
        }
    }
}
