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
aleksandra: aleksa leksa sanya sashka
aleksanteri: xanteri sandi
aleksi: leksa aleksa
annika: annu annis
anniina: annu
annukka: annu
anna: annu ansku ankku annerl nanni anka andzia anula anusia
antti: antsku
anton: tonerl donny antoha tosha
arttu: artsi
asko: aske
auli: aulikki
eemeli: eemi eme
eemil: eemi
eeva: eevuska
eila: eiska
elisa: ellu lissu
elisabet: lisbet eliisa bettan lisen betti
ellinoora: ellu
emilia: emppu emmu emilka emi
eveliina: evu veliina
fredrika: rika
hanna: hansku hannuska
hannele: hansku
heli: helkku
helena: heleene helenka
helmi: hellu
henna: hentsu
henriikka: henkka
hilma: himmi
iida: iidu
ilona: iltsu ili ilonka ica
inkeri: inkku inksu
isabella: iisa izzie bel isi
jaakko: jaakke
janne: jantteri jansku
jarkko: jarska
jarno: jartsi jarde
jasmin: jassu
jenna: jentsu
jere: jerppa
jesse: jessu
johanna: jone jojo jossan hanni hanneke
jooel: joeli
jorma: jore jomppa
jukka: jukkis
juha: juffe jussa
julia: juju julle jules yulka yulechka
juuso: juuse jusu
jyri: jyräs
kaisa: kaisuli
kalle: kallu
kari: karppa
karoliina: liinu
katariina: katu
katja: katsku kata
katri: katru
katriina: kata
kirsi: kirsu kirppu
krista: kripa
kristian: krille
kristiina: kikka
lassi: late
laura: laurukka
leena: leenu lensku
loviisa: lovi viisa
maija: maikku
maarit: maare maarukka
marianne: mariandl nanni
marjatta: jatta
markus: makke maukka
marko: makke
markku: makke
matilda: mattie tillie
martta: mansku
merja: merkku
mervi: mesku
mika: mikkis
mikael: mikki michi mikis
mirjami: mirre
mirva: mirre
nadja: nadi
natalia: natasja natashka nati
nea: neni
niina: ninnu ninski
oliver: oltsu
onni: onska
oskari: osse
ossi: ossu
paula: paukku paulie
pekka: pexu pekkis
pertti: pertsa
petteri: petu petsku
pirjo: pipsa
pirkko: piku
pirita: piri
rasmus: ras
reetta: reta
reijo: reiska
riitta: ritu
saara: saaru
saija: saikku
sanna: sanski sansku
santeri: sandi sanden
sari: sartsu
satu: satsku
serafiina: fiina
severi: seve
simo: simppa
sirpa: sippe
sofia: sohvu soffan sonechka sofa
soila: soikku
susanna: susku suska susie sussi suss
taina: tainu
tanja: tansku
tapio: taapo
tapani: tappe
taneli: tane
tarja: tartsa
teija: teippu
terttu: tertsu
tiina: tinski tintti tinde
tomi: tompa
tuomas: tomppa
tuula: tuikku
valtteri: valle
vilhelmiina: vilhelma helmiina
viljami: viltsu
ville: viltsu
virpi: virre
väinö: väiski
agnes: aggan agi
albert: abbe berra
albin: abbe
alexander: alec aleko lexi sandro xandi
alexandra: lexi lexie xandra allie xana sanda
amanda: mandi
andreas: adde anderl
angelica: angie
arvid: arre
axel: acke
barbro: babsan
bengt: bennan
bernt: berra
bertil: berra bertan
birger: bigge
birgit: biggan bibban biggi gitti
birgitta: biggan bibban
carl: calle
carina: carro caja
catarina: cattis katta cata
catharina: cattis cat
cecilia: cissi cilla cia cece cissy
charlotta: lotti
christer: krille
christian: chrille krille kricke kit krischan chrissi kresten
christina: kia kina chrissie
claes: clabbe
conny: conan
david: dadde davey dai dávidka
emanuel: manne mani
emelie: emmie
erik: kirre eje
eugen: eje geni
ernst: ernsti
eva: evchen
ferdinand: ferdie ferdi nando ferdl nandl
fredrik: fredda
gabriel: gabbe gabby
gabriella: gaby gabby gabs gabi
georg: jojje joje
gunilla: gullan nillan
gunnar: gurra
gustav: gusta kusti kustas gustl
hampus: hampe
hjalmar: hjalle
håkan: hoken
ingeborg: bojan ingel
ingrid: ingan
isabelle: bella izzy izzie
jacob: jakke jacke
jakob: jabbe jaagu jockel jockl köbi
jeanette: nettan
jennifer: jenn
jessica: sicka jessy
jonas: jonukas
jonathan: jonte jonty jonnie
josef: jojje sepperl joschi beppi
josefin: jossan
josefina: jossan fiina josie pina
josefine: jossan josi pepi
karolina: carro
katarina: kattan kajsan kaća
kenneth: kenta kenney
kent: kenta
kjell: kjelle
kristina: kina krissy kristya
kristoffer: stoffer toffe
christoffer: stoffe kricke toffe
lars: lalle
leonard: nalle leoś
leopold: poldi poldl
louise: lollo lisen lulu
ludvig: ludde
madeleine: madde maddy
magdalena: madde malena madle lene magdi maddalena magdusia
magnus: mankan
margareta: maggie maggi gretan
margaretha: maggan gretl margret greet griet
maria: mimmis mitzi mizzi mariechen mirl mania marychna mashka manya musya marijke mieke riet marieke maricica măriuca
martin: marre
mårten: morre
mathias: matte hias matze
mats: mackan
maximilian: maxe maxl
nikolaus: nikki
ola: olas
oskar: osku
ottilia: tilia
patricia: patti pattan trisha patri
pernilla: nilla pilla
petra: petan petzi
petronella: nelleke pietje
philip: fille phillie pippo
rebecka: becka beckan
rebecca: becka becs bex beckie
rickard: ricke rille
robert: robbe robby bobbie rabbie robsi robercik
roland: roly roli
samuel: samme
sebastian: sebbe basse baz wasti bastl sebas
sigrid: siggi sigi
simon: simme
stefan: steff stef stefek
stig: stickan
sture: sturen
susanne: suss sussi sussan susa
sven: svenna svempa
theodor: teddy teo
therese: tessan tess reserl
terese: tessan
thomas: thom tam tomo thommy
tobias: tobbe tobba tobe
torsten: totte
torbjörn: tobben
tore: totte
ulrika: ullis rika
ulrik: uffe
urban: ubbe
valdemar: valle
vera: verran
viktor: vigge vikke vicco vitek vitka
viktoria: vici vikusya vikulya
vincent: vinne vinny
wilhelm: wille wil
ylva: ylvis
yngve: yngvan
åke: åkan
aleksei: aljoscha alesha alyoša lyokha lexa leha
aleksander: allar leks olek alek
aleksandr: sanja olek shurik
andres: andu
andrus: andu
antonina: tosia tośka
ants: antu
argo: arku
august: kusti gustl gustel
eduard: eedi edi
eerik: eerikas
elisabeth: betti bette lilo liesl lissy lissi sissi lis lisi bep els betje
friedrich: friidu fritze
hendrik: hendri henk hein
henri: henku
heino: heinu
jaanika: nika
jaan: juku
juhan: juku juss juhku
johannes: juku juss hannus jannes joh hansi joop
kaarel: kaarli
katrin: katu trine
kristjan: krissu
ludmilla: luda
mare: mareike
margarita: ritka
mihhail: miša misha
mihkel: mihkli
nikolai: nigul niku kolyan koljan
peeter: peedu
rein: reinu
rudolf: ruudi rudl dolf
voldemar: volli volla
alastair: ally alec
aleisha: leisha
alexandria: lexi andria
alison: allie ally
amelia: mel
anastasia: stasia nastena stasya
andrew: andie
angela: ange
angelina: angie gela
annabel: bella
annabelle: bella
arabella: bella bel ara
arthur: arty
augustus: gus
augustine: gus gussie
barbara: barbra babsi babette wetti bara basieńka
bartholomew: bart
beatrice: beattie
beatrix: trixie
belinda: bel lindy
benedict: benny dick
benjamin: benj beni
bernadette: bernie bernadine
beverley: bev
beverly: bev
brandon: bran
brenda: bren
brendan: bren
caroline: caz caro
cassandra: cass cassie
catherine: cathie cass
cecily: cissy
chelsea: chels
christine: chrissy christl stine
christopher: chrissy toph
clarence: clarrie
clement: clem
clementine: clem clemmie
clinton: clint
cordelia: cordy
cornelia: corrie
cornelius: neilus
daniel: dannie
danielle: danni
darren: daz
gary: gaz
daphne: daph
deirdre: dee didi deedee
denise: dee
dennis: denny
diana: dee dianka
donald: donnie
dorothea: dot dorle doro
dorothy: dodie dory dottie
douglas: dougie duggie
edith: edie
eduardo: edu lalo dudu edong
edward: edek edzio
elaine: lainey
eleanor: leonora
eliza: liza
elizabeth: bessie lilibet liza lizbeth buffy
emma: emmie
emmanuel: manny
ernest: ernie
esther: essie
eugenia: genie gena gienia
evangeline: evie angie
evelyn: evie lyn
felicity: fliss
florence: florrie flossie
frances: francie
francesca: fran chessie cesca
francis: franny
frederica: rica
gabrielle: gabby gabi
genevieve: evie ginny
george: georgie
georgia: georgie
georgina: georgie
geraldine: gerry deena
gerard: ged
gilbert: gil
gillian: gilly
harvey: harv
hayley: hay
heather: hev
henry: hen
herbert: herb herbie bertl
hilary: hil
howard: howie
hubert: hubsi hubi
imogen: immy immie
ignatius: iggy nate
isaac: zac izzy
isabel: bel
isidore: izzy
jacqueline: jacky jacotte
james: jamesy jimbo
jane: janey
jasmine: jas
jason: jase
jemima: jem mima
jeremiah: jem darby
joanna: joaśka
jocelyn: joss
joseph: joss
josephine: fifi
joshua: joss
judith: jude judie
julian: jules julek
julie: jules
juliet: jules
karen: kaz
katherine: kit kathie
kathryn: kat kath
kathleen: kit kitty
katrina: kat
kelvin: kel
kimberley: kimmy
kristen: krissy
lachlan: lachy
lauren: loz
laurence: laz
lawrence: lawrie
leonardo: nardo
letitia: letty tish
lillian: lilly lillie
lilian: lil
linda: lindy
lindsay: linds
lorraine: lori
louis: louie
louisa: lulu
luke: lukey
lydia: lyddie
lynette: lyn
lynn: lynnie
madeline: maddy
madison: maddy
magdalene: maggie
malcolm: mal malc
marcella: marcie
margaret: meggie mags maighréad
marilyn: lyn
marjorie: margie jorie
martha: mattie
mary: mamie minnie mimi
matthew: matty
maurice: maury
megan: meg
melanie: melly lanie meli
melinda: mel mindy
melissa: lissa missie
melvin: mel
mercedes: merche
michael: mickie mikie michl
michaela: mickey micki kayla mischa micha
michelle: shell chelle
mildred: milly
millicent: milly
miriam: mimi mim mitzi
mitchell: mitch
mohammed: hamoudi moha hamada
montgomery: monty
montague: monty
mortimer: mort morty
natasha: tasha nat tash
nathan: nath
nathaniel: nath
nigel: nige
nicholas: nicko
nicola: nickie
nicole: nickie
norma: normie
norman: norm
olivia: livi
ophelia: phelia
oscar: ozzy
oswald: ozzie ossie
pamela: pammy
patience: pattie
patrick: patti
peter: petey peterl peti
philippa: pippa pip
phillipa: pippa pip
phoebe: fibi
prudence: pru prue
priscilla: scilla
quentin: quin
rachel: rachie
rafael: rafa raf rafi
randolph: dolph
raphael: raph rafe
richard: richy rico
roberta: robbie
roger: rodge
rolando: rolo
roxanne: roxy
roxana: roxy
rupert: rupe
ruth: ruthie
samantha: sammie
sarah: sassy
saskia: sass
sharon: shaz shazza
simone: moni
sophia: soph
sophie: soph sopherl
stanley: stannie
stacey: stace
stephanie: stevie stef steff
stephen: steph stevie
steven: stevie
susan: suze sukie
susannah: sukie
suzanne: suze
sylvester: syl
sylvia: syl sylvie
tabitha: tabby
tamara: tammy tam tomka tamarka
tamsin: tam tammy
terence: tes
theodora: teddy
theodore: thad
theresa: resa
timothy: timmie
tristan: tris
ulysses: uly
ursula: ursie ursi
valerie: vally
vanessa: nessa ness
vernon: vern
veronica: nica vero
victoria: vix
virginia: ginnie
walter: wal walli
wallace: wally
wilfred: wilfie
wilhelmina: willa billie minnie mien willemijn
william: wilkie
zachary: zak zackary
adalbert: adi
adolf: adi dolf
agathe: agi
albrecht: albi
alfons: fonsi fons
alfred: fredi fredy
alois: loisl
angelika: angi gela
annemarie: annemie
antonia: tonie tonia
arnold: noldi arnie
auguste: gusti
balthasar: hausl balzer
bartholomäus: bartl barthel
benedikt: bene beni
bernhard: hardy
bettina: betti
brigitte: biggi gitta
burkhard: burki
carsten: carsti
christiane: chrissi
christoph: stoffi chrisi toffel
claudia: claudi
clemens: clem
dagmar: daggi dagi
daniela: dani danni ela
dorothee: doro dorle
eberhard: ebi
eckhard: ecki
edeltraud: traudl traudi
eleonore: leonore
engelbert: bertl
erich: eri
erwin: erwi
florian: florl
franz: franzl franzi
franziska: ziska
friederike: rike fritzi riki
gabriele: gabe lele gabry
gerda: gerdi
gerhard: geri
gertrud: gerti traude trudel
gisela: gisi gila
gottlieb: liebl
gudrun: gudi
günter: günni
hannelore: hanni hannerl
hansjürgen: hajü
hans: hansi hänschen
hartmut: hardy
hedwig: hedi hede hedy
heinrich: hinnerk henner
heinz: heinzi
helga: helgi
henriette: jette
hildegard: hildchen
horst: hotte horschti
ignaz: naz nazi
ilse: ilschen
irmgard: irmchen
joachim: jojo
josefa: sefa pepi pepa
jürgen: jürg
karl: karli charly
karlheinz: karli
karoline: caro karo
carolin: caro
carolina: caro
karin: karinchen
katharina: trine katrine rina katinka
klara: klärchen
klemens: klem
konrad: konni
konstantin: konsti kostik kostyan
konstanze: konni
kunigunde: gundi kuni
leopoldine: poldi
lieselotte: lilo
liselotte: lilo lilly
lorenz: lori
ludwig: luggi luki
luise: lulu
manfred: mani fredl
manuela: ela nela
margarete: gitta meta gitte
margarethe: gretl
marlene: leni marle lene
martina: tini
mathilde: thilde
matthias: hias matze matthes
mechthild: mechtel
ottilie: otti
otto: ottl
paul: paulchen
philipp: lipp phips
rainer: reini
regina: regi
reinhard: reini
reinhold: holdi reini
renate: reni nate
rosa: rosl
rosina: rosl
roswitha: witha
sabine: bini biene sabinchen
siegfried: sigg sigl
sieglinde: siggi sigi
stephan: steff
stefanie: stefi steff
theresia: resl
ulrich: utz
ulrike: ike
ute: uta
valentina: vali valyusha valechka
veronika: nika
walburga: burgl burgi wally
waltraud: traute traudi waldi
werner: wernerle
winfried: winni
wolfgang: wolferl
wolfram: wolfi
adam: adaś
adrian: adi
agata: agatka
agnieszka: jagna
aldona: alda
alicja: alka alusia
anastazja: nastka nastia
andrzej: jendrek endrju
aneta: anetka
antoni: tolek tosiek
arkadiusz: arek
artur: arturek arturchik
bartłomiej: bartuś
beata: beatka
bernadetta: bernia
bogumiła: bogusia
bogusława: bogusia
bolesław: bolek
bronisław: bronek
bronisława: bronia
cecylia: cesia
cezary: czarek
czesława: czesia
dagmara: daga
dominik: dominiś
dominika: domi nika
elżbieta: ela elunia bietka
eugeniusz: gienek geniek
feliks: felek
ferdynand: ferdek
gabriela: gabi gabrysia
genowefa: gienia
gertruda: truda
halina: halinka hala
henryk: henio
henryka: henia
ireneusz: irek
iwona: iwonka
izabela: iza bella
jakub: jakubek
jan: jasio
janina: janka
janusz: januszek
jolanta: jolcia
józef: ziutek józio
józefa: józia
juliusz: julek
julita: julka
justyna: justynka
kacper: kacperek
karol: karolek lolek
kazimiera: kazia
klaudia: klaudka
klementyna: klimcia
kornelia: nela
krystyna: krycha krystynka
krzysztof: krzychu
ksawery: ksawcio
leokadia: lodzia
lucjan: lucek
lucyna: lucynka
ludwik: ludek
ludwika: ludka
łukasz: luki
maciej: maciuś
maksymilian: maks
marcelina: marcysia
małgorzata: małgośka gocha
marian: maryś
marianna: marysia
mariola: mariolka
marta: martynka
mateusz: mateuszek
michalina: misia michasia
mieczysława: miecia
mikołaj: mikuś
monika: monia
nikodem: nikoś
oliwia: oliwcia
patrycja: patrysia
paulina: paulinka
paweł: pawcio
piotr: piotruś
przemysław: przemcio przem
radosław: radziu
renata: renia renatka
roman: romek romka romik
rozalia: rózia rozi
ryszard: rychard rysio
sławomir: sławuś
stanisława: stasia
stanisław: stach staszko
tadeusz: tadzio tadziu
teresa: renia terenia maite
tomasz: tomcio tomuś
urszula: ula ulka
wacław: wacek
wanda: wandzia
wawrzyniec: wawrzek
weronika: nika weronisia
wiesława: wiesia
wiktoria: wika wiki
wincenty: wicek
wioletta: wiola
władysława: władzia
wojciech: wojtuś
zbigniew: zbynio zbyniek
zdzisława: zdzisia
zenon: zenek
zofia: zosieńka
zygmunt: zyga zygmuntek
alevtina: alya
alina: alya alinka
albina: alya
alisa: alya
anatoli: tolian
andrei: andryuha dron
arkadi: arkasha
arseni: senya arsen
artem: tyoma
bogdan: bodya
daniil: danya danila
danil: danya
daria: dashka
denis: deniska
dmitri: dimon dimka dimas
elena: alena lenuța
elizaveta: lizka lisaveta
evgeni: zheka
filipp: filya
fedor: fedka
galina: galka galinka
gennadi: genka
georgi: yura
grigori: grishka
gleb: glebushka
ilja: ilyukha
inna: innochka
irina: irishka irinka
ivan: vanka vanyusha
jekaterina: katyusha katka
kirill: kirya
ksenia: ksusha ksyu xenia
larisa: lora
leonid: lenya lyonya
lev: lyova leva
lidia: lidka lidochka
lubov: lyubasha lyubka
ludmila: lyudka lyusya lusya
maksim: maksik maksimka
marina: marinka
matvei: motya
mikhail: mishka mishanya
nadezhda: nadyusha nadka
nikita: nik nikitos
oleg: olezhka
oleksandr: sashko olek
oleksandra: lesya
oleksii: lyosha oles
olga: olka olenka
pavel: pavlik pashka
pjotr: petka
polina: polinka
rodion: rodya
semjon: syoma
sergei: seryoga serezha serezhka
stanislav: stasik
svetlana: svetka svetik ceca
taisia: taya
taras: tarasik
tatjana: tanyusha tanechka
timofei: timosha timka
timur: tima
ulyana: ulya
vasili: vaska vasek
vladimir: volodka vovka vovchik vovan vlada vladan
vladislav: vladik
volodymyr: vova volodya
vyacheslav: slavik
yaroslav: yarik slava
yevhen: zhenya
zhanna: zhannochka
dmytro: dima dmytryk
mykhailo: misha mykhas
mykola: kolya
natalka: nata
oksana: oksanka ksyusha
oleksiy: oleksa lyosha
solomiia: solya
serhii: serhiyko seryoha
yuliia: yulya
bohdan: bodya
khrystyna: khrystya
babatunde: baba
adebayo: bayo ade
adekunle: kunle ade
adewale: ade
olufemi: femi
oluwafemi: femi
adefemi: femi
ayodeji: deji ayo
ayodele: dele ayo
ayomide: ayo
abiodun: biodun abi
abimbola: bimbo bola
adebola: bola
olabisi: bisi
olusegun: segun
oluwaseun: seun
oluwatobi: tobi
oluwatosin: tosin
folasade: fola
olayinka: yinka
temitope: temi tope
tolulope: tolu
titilayo: titi
oladipo: dipo
oladele: dele
olanrewaju: lanre
babajide: jide
olajide: jide
olukayode: kayode
chukwudi: chudi
okechukwu: okey
ikechukwu: ike iyke
ugochukwu: ugo
ifeoma: ify
ifeanyi: ify
chidinma: chichi dinma
chiamaka: amaka
chinonso: nonso
uchenna: uche
obinna: obi
kelechi: kele
chinedu: nedu
ebenezer: eben
mahamadou: mamadou
fatoumata: fatou
aminata: ami
mamadou: doudou
abdoulaye: ablaye
abdelkader: kader abdel abdou
abdelkarim: abdel
abdelmajid: abdel
abdelaziz: abdel
abdellah: abdel abdou
abderrahim: rahim abdel
abderrahman: abdou
abdulhadi: hadi
abdulhakim: hakim
abdullatif: latif
abdulwahab: wahab
salaheddine: salah
azzedine: azz
khadija: khadi khadouj
fatima: fatou fati
mostafa: mostapha
youssef: youss
aboubakar: abou bakar
abdifatah: abdifata
abdirahman: dahir
nasteexo: nasteho
fardowsa: farduus
muhammet: memo
abdülkadir: apo
ibrahim: ibrahimo iboş
ismail: ismo
ismahan: ismo
süleyman: süli
abdurrahman: apo
selahattin: selo
emine: emoş
necmettin: neco
sabahattin: sabo
fadime: fadik
şükriye: şükran
ahmet: ahmo
hüseyin: hüsam
zübeyde: zübüş
mihály: misi
istván: pista isti pisti
józsef: józsi joci
jános: jancsi
györgy: gyuri gyurka
lászló: laci
ferenc: feri ferko
sándor: sanyi
zoltán: zoli
gábor: gabi
miklós: miki
károly: karcsi
imre: imi
lajos: lali
béla: bélus
andrás: bandi
attila: ati
balázs: balu
bence: benci
gergely: gergő geri
krisztián: krisz
pál: pali
szabolcs: szabi
tibor: tibi
vilmos: vili
zsigmond: zsiga
anikó: ani
borbála: bori
erika: eri
erzsébet: erzsi bözsi zsóka
eszter: eszti
judit: jutka
julianna: julis
katalin: kata
krisztina: kriszti
magdolna: magdi
margit: manci
orsolya: orsi
piroska: piri
terézia: teri
zsófia: zsófi
zsuzsanna: zsuzsa zsuzsi
aleksandar: aca
dragan: gagi
slobodan: boban sloba
nikola: nidžo
petar: pero pera
stjepan: stipe
josip: joso jozo
tomislav: tomo
zvonimir: zvone zvonko
krešimir: krešo
hrvoje: hrco
branimir: brane branko
predrag: peđa
miodrag: mića
miroslav: mirek
ljiljana: ljilja
jelena: jeca jela
jovana: joca
gordana: goca
snežana: sneža
marijana: marija
zorica: zora
vojislav: voja
dimitar: mitko dimo
dimitrios: dimitris mitsos
georgios: giorgos yiorgos
ioannis: giannis yiannis yannis
konstantinos: kostas dinos costas
nikolaos: nikos
panagiotis: panos takis
vasileios: vasilis
athanasios: thanasis nasos
anastasios: tasos
spyridon: spyros
evangelos: vangelis
eleftherios: lefteris
emmanouil: manolis
charalampos: babis haris
aikaterini: katia
vasiliki: vaso
paraskevi: voula
panagiota: giota
stavroula: voula
giuseppe: peppe beppe
giovanni: gianni nanni vanni
francesco: franco ciccio cesco checco
salvatore: totò turi
vincenzo: enzo
lorenzo: renzo enzo
domenico: mimmo
antonio: tonino totò toño tonito
luigi: gigi gino
alessandro: sandro ale
alessandra: ale
federico: fede chicco
federica: fede
michele: miky
matteo: teo
riccardo: richi
roberto: roby rober beto
stefano: stefy
stefania: stefy
daniele: dany
giulia: giuly
giuseppina: pina giusy
raffaele: lello raf
raffaella: lella raffa
antonella: anto
elisabetta: betta
margherita: marghe
caterina: rina cate
filippo: pippo
edoardo: edo
emanuele: lele
maddalena: madda
gaetano: tano
pasquale: lino
alejandro: ale jandro
alejandra: ale
beatriz: bia
carmen: carmela
concepción: concha conchita
cristina: cris
dolores: loli
enrique: quique
ernesto: neto
esperanza: espe
fernando: nando
francisco: fran curro kiko quico chico xico
francisca: paca paqui
gonzalo: gonza
gregorio: goyo
guadalupe: lupe
guillermo: guille memo
ignacio: iñaki
jesús: chuy
joaquín: quino ximo
josé: chepe zezinho zeca
jorge: jorgito coque
juan: juanito juanjo
lourdes: lourditas
luis: lucho
manuel: manolito lolo
miguel: migue miki
montserrat: montse
pilar: pili
rafaela: rafi
ramón: moncho
rosario: charo
santiago: santi
sergio: checho
susana: susi
vicente: chente vicent
yolanda: yoli
augusto: gusto
eduarda: duda
filipe: lipe
gustavo: guga
henrique: kiko
joaquim: quim
ricardo: cado
mafalda: mafas
rodrigo: rodri
sebastião: bastião tião
alexandre: xandre
émilie: mimi
françois: fanfan
guillaume: guigui
laurent: lolo
mathieu: mat
nathalie: nath
pierre: pierrot
sébastien: seb
stéphane: steph
sylvie: syl
véronique: véro
adriaan: arie adri
antonius: toon antoon
bartholomeus: bart
cornelis: kees nelis
franciscus: frans
geertruida: truus geertje
hendrika: rika hennie
jacobus: jaap sjaak
jacoba: coba
josephus: sjef
lambertus: lammert
martinus: tinus
mattheus: thijs
matthijs: thijs
wilhelmus: wim willem
willem: wim
frederik: frits
søren: sør
abigail: abbi
aleksandras: aleks
algirdas: algis
antanas: antas
kęstutis: kęstas
juozas: juozukas
gediminas: gedas
mindaugas: mindė
vytautas: vytas
žydrūnas: žydrė
jānis: jancis
elizabete: liza
aleksandrs: aleks
françoise: fanfan
bogusław: bodzio
alexandru: sandi
andreea: deea
constantin: titi
dumitru: mitică mitru
ecaterina: cati
florentina: flori
georgeta: geta
ionela: nela
mihaela: ela miha
rodica: rodi
teodor: teo
teodora: teo
viorica: viori
zamfira: zamfi
zsuzsa: zsu
abhishek: abhi
abhijit: abhi
aditya: adi
amandeep: aman
gurpreet: guri gurp
harpreet: harp
jaspreet: jas
jaswinder: jas
karthik: karthi
krishnan: krishna
lakshmi: laxmi
nikhil: nik
padmini: padma
ramakrishna: krishna
ranjit: ranj
sanjeev: sanju
sanjay: sanju
shubham: shubh
srinivas: srini vasu
subramanian: mani
sukhwinder: sukhi
sukhdeep: sukh
surinder: suri
surendra: suri
venkatesh: venkat
venkataraman: venkat
vijayalakshmi: viji
vishal: vish
yogesh: yogi
balwinder: billa balli
manpreet: mani
manjit: manj
gurinder: guri
abdurrahim: rahim
fatemeh: fati
masoumeh: masi
bahareh: bahar
farhad: fari
farideh: fari
khosrow: khos
luzviminda: luz
maricel: cel
rosalinda: rosal
teresita: tess
dmitrijs: dima
áine: anya
brigid: bridie bride biddy breda
brídín: bridie
catríona: triona cat
caitríona: tríona
cathal: cahal
ciarán: kier
colm: colum
diarmaid: dermot derry
dympna: dim
eoghan: owney
feidhlim: phelim felim
fionnbarr: barra finbar
gobnait: gubby
mairéad: mags
malachy: malky
niamh: nee
nóra: honora
pádraic: podge
ríona: caitríona
saoirse: searsh sersh
tadhg: teddy teigue thady
tiernan: ternie
toirdhealbhach: turlough
alasdair: alec
archibald: erchie
duncan: dunc
elspeth: eppie elspie
euphemia: phemie
fergus: fergie gus
gilleasbuig: archibald
isobel: izzy bel
jean: jeannie
kirsty: kirstie
marsaili: marjory
somhairle: sorley
bronwen: bron
cerys: cez
dafydd: dai
gwyneth: gwyn
ieuan: iwan
llewelyn: llew lyn
meredydd: mered
myfanwy: myf fanw
rhiannon: rhian
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
