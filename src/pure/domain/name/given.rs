//! Given names in common use around the Baltic and in the languages of the desk.
//!
//! Three uses only: a single word is taken for a sign-off when it is listed here, two *different*
//! listed names one letter apart (Mari and Kari) are two people and not a typing error, and a name
//! whose last word is listed and its first is not is taken to begin with the family name.
//!
//! **Invariant:** absence from the list proves nothing. Written from general knowledge of common
//! names; order and frequency mean nothing.

use super::nicknames;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Whether the word, [folded](super::words::fold), is a common given name or the short form of one.
pub fn is_given(folded: &str) -> bool {
    GIVEN.contains(folded)
}

static GIVEN: LazyLock<HashSet<String>> = LazyLock::new(|| {
    [FINNISH, SWEDISH, ESTONIAN, ENGLISH, IRISH, GERMAN, POLISH, RUSSIAN, TURKISH, ARABIC, OTHER]
        .iter()
        .flat_map(|names| names.split_whitespace())
        .chain(nicknames::all())
        .map(super::words::fold)
        .collect()
});

const FINNISH: &str = "
aatos aapo adele aleksandra aleksis alisa amalia annamari annemari annukka anselmi anttoni armi arska asser auvo avo
eeri eerik eerika eerikka eija eikka eljas elvi emmi eriikka ernesti esteri eve evita fredrika hanneli harriet heimo
heljä hemmo hertta hille hillevi ilkka ilma immi impi inari irmeli isabella jaana jaro jasse jemina jenina jenny
jesper jimi joakim joanna joel johan jonatan jooel jorma juhani julius justus jussi juuli juulia kaapo kaarle kaija
kaisla kalevi kanerva karla kasper kaspar katariina kaukko keijo kerttu kiira kristina krister kustaa kyösti laila
lasse leeni leena lemmikki leo liisi lila linus loviisa lumia luukas maaria maisa mai maiju maini manu manta marcus
margit mariel marianna marianne maria marjo matleena mauri melissa meija mette miia miika miikka milka mimmi mimosa
minea minja mirella miriam mirkku moonika neela nelly nestori niki nikolas ninni olga olivia onni oosa ossian oula
outi paula peetu peppi pirre piritta pirjo pälvi raakel raimo raija raijo rainer ranja rasmus rebekka reeta reetta
reijo reko reeti rita riku riko roni roni ronja ruut saija saila salli salme samuel sandra sarianna sarita saara
selma senni seela sebastian serafiina silva silvia sini sirpa sirje sisko sofi sohvi soila stiina suoma susan sylvi
taavi taina tanja tarja teija tenho terho terttu tessa tilda tiina toivo topi torsti tuovi tuulikki ulriikka urpo
valma vanessa vaula veeti vellamo viena viki viktoria vilja viljo vuokko wilma yrjö äly
aada aarne aaro aatu aila aimo aino airi aki aku aleksanteri aleksi alina alma alpo amanda anita anja anna anne
anneli anni anniina annika annikki annukka anssi antero anton antti anu arja armas armi arto arttu artturi arvo
asko asta atte auli aulis aune aura eeli eelis eemeli eero eeti eetu eeva eevi eija eila eino eira elias elina
elisa elise ella elli elma elmeri elsa elsi emilia emma emmi enni eppu erja erkki erno esa esko essi eveliina fanni
hanna hanne hannele hannes hannu harri heidi heikki heimo heini helena heli helka helmi helvi henna henni henri
henriikka henrik heta hilkka hilla hilma iida iines iiris iisakki ilari ilkka ilmari ilona ilpo ilta inka inkeri
irene irina iris irja irma irmeli isto jaakko jaana jalmari jalo jami jan jani janika janina janita janne jari
jarkko jarmo jaska jasmin jenna jenni jere jesse joel johanna johannes joni jonna jonne joona joonas jori jorma
josefiina jouko jouni juha juhana juhani juho jukka julia jussi justiina jutta juulia juuso jyri jyrki kaarina
kaarlo kai kaija kaisa kaisu kalervo kalevi kalle kari karita karoliina katariina kati katja katri katriina kauko
keijo kerttu kerttuli kiia kimi kimmo kirsi kirsikka kirsti klaus konsta kosti krista kristian kristiina kullervo
kyllikki kyosti lari lasse laura lauri lea leena leevi lenni leo liisa lilja linda linnea lotta lumi maaret maaria
maarit maija maiju maikki mailis maire mari maria mariitta marika marita marja marjaana marjatta marjo marjukka
marjut markku marko markus martta martti matias matilda matleena matti mauno mauri mea meeri meri merja mervi mika
mikael mikaela mikko milja milla milo minea minna minttu mira mirja mirjami mirka miro mirva miska mona nea neea
nella nelli niilo niina niklas niko nina nooa noora nuutti oili oiva okko olavi oliver olivia olli onerva onni oona
oskar oskari osmo ossi otso otto outi paavo pasi paula pauli pauliina pekka pentti pertti petra petri petteri pia
pihla piia pinja pirita piritta pirjo pirkko päivi päivikki raija raili raimo raisa raita rami rane rasmus rauha
raul rauni rauno reetta reija reijo reima riikka riina riitta risto ritva ronja roope roosa rosa saana saara saija
saila saimi sakari saku salla sami samu samuel samuli sanna sanni santeri santtu sara sari satu sauli sebastian
seija senja seppo severi siiri silja simo sini sinikka sirkka sirkku sirpa siru sisko sofia sohvi soili sointu
sonja sulo susanna suvi taimi taina taisto taneli tanja tapani tapio tarja tarmo taru tatu tauno teemu teija
tellervo teppo terhi tero tertta terttu tessa teuvo tiia tiina tiitus timi timo toini toivo tomi tommi toni topi
topias touko tuija tuire tuomas tuomo turkka tuukka tuula tuuli tuulia tuulikki tyko tyyne ulla ulpu unto urho urpo
usko uuno valma valtteri vappu veera veeti veijo veikko veli venla vera verneri vesa vieno viivi vilho vilja
viljami viljo ville vilma visa vuokko väinö
";

const SWEDISH: &str = "
ada agda alf alfhild allan alvar amelie anders anette ann-christin arne arthur asta bea benita benjamin bernhard
björn bodil brita camilla carita carl-johan catarina cecil cecilia christel clara cornelia dennis desiree disa doris
edit edith edla egon einar elias elis elise elisabet elina else emanuel emilia emmy engla erna ernst evert fanny
fabian fanni folke gabriel georg gerhard gittan gottfrid gunn gunhild gustav gunilla hannes harry heidi helmi henny
hans hjördis håkan ingbritt ingegerd ingela ingemar ingeborg ines irene irma isabella jarl jasmine jeanette jeppe
jessika jennie jonny josef judit julia julia kajsa kalle karla karl-erik kenneth kerstin kjerstin kira kurt laila
leo leopold linus liselott liv lia lilian lillemor liselotte love lovis lydia magdalena magnhild manfred margot
marit maj-britt marcus matts mathias melker melvin mia michaela micael milla mille minna mimmi miriam mirjam monica
nanna nathalie nea nelly nicklas noah nora olga olivia olov oliver ossian otto patricia pauline per-erik petronella
philip rafael ralf ralph regina ronja rosa rut sakarias samuel sanna selma sigbritt sigge signe simone sixten sofi
staffan stellan stefanie sten stellan susann svea sylvia synnöve terje theo theodor thea tilda tilde tindra torgny
torvald ture tyra ulla-britt valborg valdemar vanja vendela victor victoria vidar vilma villy viola vivan wilma åsa
agneta albin alexander alexandra alfred alice alva amanda anders andreas ann anna anneli annika anton arvid astrid
axel barbro bengt bernt bertil birger birgit birgitta bjarne bjorn bo boris britt britta bror börje carin carina
carl carola caroline cecilia charlotta charlotte christer christian christina christoffer conny dag dagmar dan
daniel david ebba edvin elin elisabet elisabeth ellen elsa elvira emelie emil emma erik erika erland eskil ester
eva evelina felicia filip folke frank fred fredrik frida gabriella gerd gerda germund greta gudrun gun gunborg
gunilla gunnar gunnel gunvor gustaf gustav göran görel gösta hampus hanna hans harald hedda hedvig helen helena
helene helga henning henrik henrika herbert hilda hilding hjalmar holger hugo håkan ida inga ingalill inger ingmar
ingrid ingvar isabelle isak ivar jacob jakob jan jenny jens jerker jessica jimmy joakim johan johanna johannes john
jon jonas jonathan josefin josefine julius jörgen kaj karin karl karolina katarina kent kerstin kicki kim kjell
klara klas knut krister kristian kristina kristoffer kurt lage lars lasse leif lena lennart lina linda linn linnea
linus lisa lisbeth lotta louise lovisa ludvig lukas madeleine magnus maj maja malin margareta margit maria marianne
marie marika marina martin martina matilda mats mattias max mikael moa mona monica monika märta natalie nels niklas
nils nina ola olle olof oskar ossian ove patrik per pernilla peter pether petra pia pontus pål ragnar ragnhild
rasmus rebecka regina rickard rikard robert robin roger roland rolf ronny runar rune sabina samuel sandra sanna
sara sebastian signe sigrid sigurd simon siv sivert sofia sofie solveig staffan stefan stig stina sture sune
susanne svante svea sven tage terese thomas thor thore tobias tom tomas tommy tor tora torbjörn tord tore torsten
tove tuva ulf ulla ulrik ulrika urban valdemar valter vera verner viking viktor viktoria vilhelm vincent viola
viveka vivi wilhelm william ylva yngve yvonne åke åsa örjan östen
";

const ESTONIAN: &str = "
aadu aarne adeele age agnia ahti ahto aino aire aivo alo alvar alvi anneliis annemari anne-mai anneliisa anni ardo
arlet arvi aune ave avo beatrice birgitta brigita britt carmen cathy carolin daniel delia diana eda eevald eerika
eesi egon eleri elina eliise elis elisabet eliis elisa ellen elmar elvi emma endel endla enel enno erich erna ervin
erle estella ethel evald eveli eveliis evi felix fred geete geili georg germo getter gerda gerli gleb grethe gretel
guido heiti heli heldi helve henn hiie hillar hilda hubert hugo ilmar inge inno ireen isabel ivi ivika ivi jaagup
jaanika janne janek jarek jarmo jass jekaterina jevgeni johanna juhani jüri kaarel kaari kadi kadrin kaidi kaimar
kaire kaisu kalev kaljo karel kalmer kalli karl-erik karoli katarina katariina kätlin kaupo keiu keito kelli ken
kerdi kert kertu kerttu kessu ketlin kevin kleer koit kris kristen kristin kristiine krõõt külvi laas laura leana
leelo leida leino lenna liia liana liili liisbet liisu liivika lilian linnar lisete loore loviisa luise luisa maarit
maaris maaja madis madli maia maigi maila maili maimu mairi mairit mana mann marcus mare marelle margo margot
mariann marie maribel mariliis marin marite marit marje martti marta martha mati mattias meeri mehis mehis melissa
mery merili merlyn merje mihkel milla minna minni mirjam moonika märten naima natalia nele nelli nora olga olli
oliver õie õnne pearu peep pille pilvi pirjo pire piret priidik põim raimo raigo raili raja ramona raul rauno regina
reimo reene rein riina riinu rita riivo robin roland romi ron ronald rudolf saale saima salme sandra saskia selma
siim siiri sille silver silvi silvia silja sirel siret siro sirle sirlis sirts stefan stiina sulev susanna taimi
taivo talis tarvi tauri teet terje tiia tiina tiiu tiidrik tiit tiiu toivo tõnn triin triinu tuuli tuulikki uku ulla
ulvi urmo ursula uudo uuve valli vallo vallo vaike veli veljo vello verner viive viivi vilja villu viola virgo
vivian voldemar õnnela ülar üllar ülari ülve
aare aavo agnes ago aigar aili aime ain aino aivar alar alari aleksander aleksandr aleksei allan alma anastassia
andra andre andrei andres andrus anete anna anne anneli anni annika anti anton ants anu argo arne arno arnold art
artur arvi arvo asta astrid avo birgit bruno darja dmitri edgar eduard eerik eero eevi egle eha eike einar ele
elena eli elle ello elmar elmo elo elts ene enn epp erik erki ester eva eve evelin galina gert grete gunnar hanna
hannes hans harald hardi harri heigo heiki heino heldur helen helena helga heli helin helje helle helmi hendrik
henri henry hilja hille igor ilja ilme ilona imbi imre indrek inga ingrid inna irina iris irja ivan ivar ivo jaak
jaan jaana jaanika jaanus jana janar jane janek janno jelena joel johannes joosep juhan julia juri jürgen jüri kadi
kadri kai kaia kaido kaie kaili kairi kaisa kaja kalev kalju kalle kalmer karin karl karmen karoliina kaspar katre
katri katrin kaur kauri keidi keit kerli kermo kersti kertu kevin kirill kirsti krista kristel kristi kristiina
kristina kristjan kristo kuldar kätlin külli küllike laine laivi laur lauri lea leho leida leili lembe lembit
lennart liana lii liia liina liis liisa liisi liivi lilli linda ljudmila loone luule ly maarika maarja maie maimu
maire mait mall malle manivald marek maret margit margus mari maria marianne marika marina mario maris marju mark
marko markus mart marten martin mati matis mattias meeli meelika meelis merike merilin merle mihhail mihkel mikk
milvi moonika märt natalja neeme niina nikolai oksana olavi oleg olev olga oliver oskar ott otto paul pavel peep
peeter piia piret priit põide ragnar raido raili raimo raimond rain rait raivo rando rasmus raul reelika reet reigo
reili reimo rein rene riho riin riina risto ritta rivo robert robin roman romet ruslan ruth rutt sander sandra
sergei signe siim siiri siret siri sirje sirli stella sten sulev sven svetlana taavi tambet tanel tanja tarmo tarvo
tatjana tauno tauri teele terje tiia tiina tiit tiiu toivo toomas triin triinu tuuli tõives tõnis tõnu uku ulvar
ulvi uno urmas urmet urmo ursula urve ustus vahur vaike valdek valdur valentina valeri valev valve vambola veera
veiko vello vesta viire viktor vilja villem villu virge virve vladimir ülle ülo
";

const ENGLISH: &str = "
abbie ada aileen aimee alana alastair aled alexa alexis alfie alicia alistair allison alma alvin alyson amos andre
angus anita annabel annabelle annette april ariana arlene arnold ava aisha ayesha basil beatrix bernadette bert
bertha beryl bianca blake bonnie boris brendan bryony caitlin calvin camilla candice carla carly carole carrie cary
casey cassandra cecil cecilia celia chantal charmaine chester christie clarence clarissa clark claude claudia
clayton clement clifford clinton cody connie cora cordelia corinne curtis cyril dale dana daphne darcy daria darrell
darryl dean deanna deirdre della delia denzel desmond devon dexter dianne dilys dion dolores dominique dora doreen
dwayne earl eddy edgar edmund edna effie eira elaine eliot eliza ella elle eloise elsa elspeth elton elvis emmanuel
enid enoch eric erin ernest esme esmeralda estelle esther ethel eunice eve ezra faith fay faye fergus ferdinand
finlay finn flora floyd frankie freda gabriel gabrielle garrett gaynor gemma genevieve geraldine gilbert gina giles
gladys glenda glenys glynis godfrey grant gretchen greta gwen gwyneth hamish hank harley harriett harrison hattie
heath hector henrietta herbert hettie hilda honor hope horace howard hugo humphrey hunter ida iain imelda ina india
ingrid ira irvine irvin isabelle isadora isaiah ishbel jackson jacqui jan janette janine jarvis jasper jayne
jeanette jemima jenna jennie jeremiah jermaine jerome jethro joanie joey joni jocelyn jolene josiah joy juliana
juliette june juno kaitlyn kara karina kate katy katrina keira keiran keeley kelsey kelvin kendra kerri kirk kirsten
kristen kristin lana lance lara lachlan laurie lavinia lawson leanne leila lena leroy lesley lester letitia lewis
libby lila lillian lionel logan lois lottie lou louisa lucia lucian lucinda luna lynda lynette lyle mabel mable
madge mae maisie malachi mandy marcia marcella marco margot marge marguerite mariam mariah marina marlene marlon
marsha martina marty marvin mathilda matilda maud maude maura mavis max maya mercedes meredith merle mervyn mick
miranda miriam moira molly mona morag morgan moses muriel murray myra myrtle nadine nadia nan neal ned nell nellie
nettie neville nicky nina nita noelle nola noreen norris odette olaf olive ollie opal oprah orla osborne oswald otis
owain paddy patience patsy pat pearl percy perry petra petunia phillipa philippa phineas piers polly preston
prudence queenie quentin quincy quinn rae ramona randall randolph raquel regina reuben rex rhiannon rhoda rhonda
rhonwen rita roderick rodney roland romeo rona roni rosa rosalie rosalind rosalyn rosamund rose roseanne rosetta
rowan rowena roxanne rufus rupert rusty ruby sabrina sadie sally salvador samson sandy sasha saskia scarlett
sebastian selina selma serena seth shari sheldon shelley sherry shirl sian siobhan silas simone skye solomon sonia
sophia sonja spike stan stella sterling steve stewart summer susanna susannah suzie sybil sylvester tabitha tamara
tamsin tanya tatum terrance tessa thea thelma thora tilly toby tobias trent tricia trina tristan trudy una ursula
val vaughn vera verity verna vicki vicky viola virgil vivienne wallace wanda warren wilbur wilfred wilma winston
winifred woody yasmin yolanda yvette zack zane zelda
aaron abigail adam adrian agnes aidan alan albert alex alexander alexandra alfie alfred alice alison allan amanda
amber amelia amy andrea andrew angela ann anna anne annie anthony antonia archie arthur ashley audrey austin
barbara barry beatrice becky ben benjamin bernard beth bethany betty bill billy bob bobby brad bradley brandon
brenda brian bridget bruce bryan callum cameron carl carol caroline carolyn catherine cathy charles charlie
charlotte chelsea cheryl chloe chris christian christina christine christopher cindy claire clara clare clive colin
connor courtney craig cynthia daisy damian dan daniel danielle danny darren dave david dawn dean debbie deborah
debra declan denise dennis derek diana diane dominic don donald donna doris dorothy doug douglas duncan dylan eddie
edith edward edwin eileen elaine eleanor elizabeth ella ellen ellie elliot elliott elsie emily emma eric erica erin
ethan eugene eva evan evelyn felicity fiona florence frances francis frank fred freddie frederick freya gail gareth
garry gary gavin gemma geoff geoffrey george georgia georgina gerald gerard gillian glen glenn gloria gordon grace
graeme graham grant greg gregory guy hannah harold harriet harry harvey hayley hazel heather heidi helen henry
hilary holly howard hugh ian imogen irene iris isaac isabel isabella isla ivy jack jackie jacob jacqueline jade
jake james jamie jane janet janice jared jasmine jason jay jean jeff jeffrey jennifer jenny jeremy jerry jess
jessica jill jim jimmy joan joanna joanne jodie joe joel john johnny jonathan jordan joseph josephine josh joshua
joyce judith judy julia julian julie juliet june justin karen karl kate katherine kathleen kathryn kathy katie kay
keith kelly ken kenneth kerry kevin kieran kim kimberley kimberly kirsty kurt kyle larry laura lauren laurence
lawrence leah lee leo leon leonard leslie lewis liam lily linda lindsay lisa liz lloyd logan lola lorraine louis
louise lucas lucy luke lydia lynn lynne maddie madison malcolm marc marcus margaret maria marian marie marilyn
marion marjorie mark martha martin martyn mary mason mathew matt matthew maureen maurice max megan melanie melissa
mia michael michelle mick mike mildred miles millie mitchell mohammed molly monica muhammad nancy naomi natalie
natasha nathan neil nicholas nick nicola nicole nigel noah noel nora norma norman oliver olivia oscar owen paige
pam pamela pat patricia patrick paul paula pauline peggy penelope penny pete peter phil philip phillip phoebe
phyllis poppy rachael rachel ralph randy ray raymond rebecca reece reginald rhys richard rick ricky rita rob robert
roberta robin robyn roger roland ron ronald ronnie rory rose rosemary rosie ross roy russell ruth ryan sally sam
samantha samuel sandra sarah saul scott sean sebastian shane shannon sharon shaun sheila shirley sian sidney simon
sophia sophie spencer stacey stan stanley stella stephanie stephen steve steven stewart stuart sue susan suzanne
sylvia tania tanya tara ted terence teresa terry thelma theo theodore theresa thomas tiffany tim timothy tina toby
todd tom tommy tony tracey tracy travis trevor tristan tyler valerie vanessa vera vernon veronica victor victoria
vincent violet virginia vivian vivien walter wayne wendy wesley will william willie winifred yvonne zachary zara
zoe
";

const GERMAN: &str = "
adam adele adolf agathe agnes alexander alfred alexandra alicia almut aline amelie amalie andre angela anna anne
anneliese annelie annegret annemarie anton antonia arndt arnold artur august bärbel ben benedikt benjamin benno
berta bert berit bernward berthold bettina bianca bodo boris britta bruno burghard carl carla carmen carolin
caroline carolina celine charlotte christina christine clara clemens constanze corinne daniel david denise dennis
diana diethelm dörte dorothee edith edgar edmund eduard egon eike elena eleonore elfi elias elisa elisabeth ella
ellen elli elmar else elvira emil emilia emma emmi engelbert erhard erich erna ernestine erik esther eugen eva
evelyn ewa fabienne fanny ferdinand finn florentine frank fred frieda friedel friedhelm frieder friedrich gabriel
gabriele gebhard georg gerald geraldine gerlinde gero gernot gerrit gesa gesine giselher gregor greta gretel gudula
gundula gunda gunther götz hanna hannah hans hansjörg hanspeter harry hasso hauke heidemarie heidrun heike heiner
hella helmuth henri henriette henrik henry herbert herta hilde hilmar hiltrud hinrich holm hugo iris irene irma
irina isabel isabella isolde ivonne jacqueline jakob janina janine jannik jasmin jeannette jennifer jenny jessica
joana johann johanna johannes jonathan jonas jörn josef josefine jost judith jule julian juliane julius justin
justus jürgen kai kaspar katarina käthe katja kilian kira klara klemens konstanze kordula kristian kristina
kunigunde laurenz leander leo leon leonard leonhard leopold liesbeth liesel lili lilli lina linda lisa lisbeth livia
lisette lore lorena lotte louis louisa louise lucia lucie ludger luis luise luitpold luka lukas lydia maja malte
manja mara marc marco marcus margarethe margrit maria marian mariana marie marietta marius mark marlen marlis martha
martin marvin marzena mats maurice max maya mechthild melina melissa merle mia michel mila milena mina mirja miriam
moritz nancy natalie nathalie nelly nick nico nicolas niels niko nikola nikolaus nina noah nora odilia olga olivia
ortrud oswald otmar ottilie ottmar patricia paul paula pauline peer peter piet quirin rahel raimund rasmus rebecca
regine reimund reinhild reinhilde renata rene ria richard ricarda robin rolf roman romina ronald ronja rosa rosi
roswitha ruben rupert ruth rüdiger sabrina sara sarah saskia sebastian selina selma severin sibylle sieglinde
siegmar siegmund sigmar silas silvana silvio simon sina sofia sofie sonja sophia sophie stefania stefanie stella
stephanie susanna svea swen swantje sybille tabea tamara tanja tatjana thaddäus theodor theodora theresia thilo
thies timon timm tina tilman tom toni trudi ulf ulla ursel uschi valentin valentina vanessa vera verona veronika
vincent viola viktoria vinzenz volkhard wanda wenzel wenke wera werner wiebke wieland wilfriede wilhelmine willibald
winfried wladimir xaver yannick yvonne zita
achim adelheid albrecht alois andrea andreas angelika anja anke annegret annette annika antje armin arno astrid
august axel barbara barbel bastian bernd bernhard bettina birgit birte bjorn brigitte burkhard carina carsten
christa christel christian christiane christina christoph claudia claus cordula corinna cornelia dagmar daniela
detlef diana dieter dietmar dietrich dirk dominik doris dorothea eckhard edeltraud elfriede elke erich erika ernst
erwin esther eva ewald fabian felix florian franz franziska frauke friederike friedrich fritz georg gerd gerda
gerhard gerlinde gertrud gisela gottfried grit gudrun guido gunter gustav günther hannelore hanno hans harald
hartmut hedwig heide heidi heike heiko heiner heinrich heinz helga helge helmut henning herbert hermann hildegard
holger horst hubert ilka ilona ilse ina ines inge ingeborg ingo ingrid irmgard isabell jan jana jens joachim jochen
jonas josef julia jurgen jutta jörg kai karin karl karla karsten katharina kathrin katja katrin kerstin klaus
konrad konstantin kristin kurt lars laura lea lena leonie linus lorenz lothar luca ludwig luisa lukas lutz
magdalena maike manfred manuel manuela marcel marco margarete margit margot marianne marie marina mario marion
markus marlene marlies marta martina mathias matthias maximilian meike melanie michael michaela mirjam mirko monika
moritz nadine nadja nele nicole niklas nils nina norbert olaf oliver oskar otto patrick peggy petra philipp pia
rainer ralf ralph ramona raphael regina reiner reinhard reinhold renate rita robert roland rolf romy rosemarie rudi
rudiger rudolf rüdiger sabine sabrina sandra sascha sebastian siegfried sigrid silke silvia simone sonja stefan
stefanie steffen stephan susann susanne sven svenja tanja thea theo theresa thomas thorsten till tilo tim timo
tobias torben torsten udo ulf ulli ulrich ulrike ursula ute uwe vera verena viktor volker volkmar waldemar walter
waltraud wendelin werner wilfried wilhelm willi wolf wolfgang
";

const RUSSIAN: &str = "
agafya akim albina aleksandr aleksandra aleksei aleksey alevtina alexey alina alla anastasia anastasiya anatoli
anatoly andrei andrey angelina anna anton antonina arkadi arkady arseni artem artur artyom bogdan boris daniil daria
darya denis diana dina dmitri dmitriy dmitry egor ekaterina elena elizaveta emilia evgeni evgenia evgeny faina fedor
filipp fyodor galina gennadi gennady georgi georgy gleb grigori grigory igor ilya inessa inna innokenti ioann irina
ivan jaroslav jegor jekaterina jelena jevgeni jevgenia juri kira kirill klavdia konstantin kristina ksenia ksenija
larisa lev lidia lilia liliya ljubov ljudmila lubov ludmila lyubov lyudmila maksim margarita maria marina matvei maxim
mikhail mila milana mihail nadezhda natalia natalja natalya nelli nikita nikolai nikolay nina oksana oleg olesya olga
oxana pavel pjotr platon polina pyotr raisa regina rimma rodion roman rostislav ruslan rustam savely semjon semyon
sergei sergej sergey snezhana sofia sofya stanislav stepan svetlana taisia tamara taras tatiana tatjana tatyana timofei
timur ulyana vadim valentin valentina valeri valeria valery varvara vasili vasily vasiliy vera veronika viktor viktoria
violetta vitali vitaly vjatseslav vladimir vladislav vladlena vsevolod vyacheslav yakov yana yaroslav yegor yekaterina
yelena yevgenia yevgeny yulia yuri yury zhanna zinaida zoya
";

const OTHER: &str = "
adrian adriana alexandru alin alina andreea bogdan calin catalin catalina ciprian claudiu constantin corina cosmin
costel cristian cristina dacian dan daniela dragos elena florin gabriela gheorghe horia ileana ioan ioana ionela
ionut iulia iulian laurentiu lavinia liviu lucian luminita madalina magda marian mihaela mihai mihnea mircea mirela
monica nicoleta octavian oana ovidiu petru radu raluca razvan roxana sorin stefania stelian tudor valentin vasile
viorel vlad ana beatriz bruno catarina diogo duarte fernando filipa francisca francisco goncalo guilherme henrique
joana joao jorge leonor luisa mafalda manuel margarida miguel nuno paulo pedro rafael raquel ricardo sofia
tiago teresa vasco alejandro alvaro ana carmen diego fernanda gonzalo ignacio isabel javier joaquin julio marisol
mercedes monserrat pilar rocio sergio soledad jan jana jiri josef katerina lenka lucie marek martin miroslav
ondrej petr petra stepan tereza tomas vaclav vera zdenek zuzana andrius dainius darius egle gintaras jonas jurgita
kestutis linas mantas mindaugas tadas tomas vytautas zydrunas agnese aivars andris arturs baiba dace
edgars evita gatis girts guntis ilze inese ivars janis juris kristaps laima martins normunds peteris
raimonds sandis sanita valdis zane kwame kofi akosua chidi chidinma chinedu emeka ngozi ifeoma tunde
adaeze oluwaseun dragan goran zoran milos jovan jelena dragana mirjana nenad slobodan vesna zeljko dejan sasa ivica
tomislav mladen davit giorgi nino tamar armen gagik prakash suresh ramesh dinesh rajesh sunita anjali kavita
abdi abdul abdullah ahmad ahmed aisha ali amina amir anil anita arjun asad ayan ayse bao carlos deepak elif emre
farah fatima fatma giovanni giulia habib halima hamza hasan hassan hussein ibrahim igor irina ivan ivana javier
jose juan khadija kumar lan laszlo leila linh luis maryam mehdi mehmet miguel minh mohamed mohammad mustafa nadia
nguyen nikita nikolaj noor oleksandr olga omar pablo pavel pedro piotr priya rahul raj ravi reza rohan rosa salma
samir sanjay sergey sofiya stanislav tatiana thanh vladimir yasmin yuki yulia yusuf zahra zainab zoltan
";

const IRISH: &str = "
aisling aoife ailbhe bairre bláthnaid brendan brian bríd bronagh caoimhe caoimhín cathal ciara ciarán cillian
clodagh colm conall conor cormac daithí darragh deirdre dervla diarmuid donal donnacha dónal dympna eamon éabha
eimear eithne emer eoghan eoin fergal fiachra fidelma fionn fionnuala gearóid gráinne iarla kieran lorcan
maeve malachy maebh muireann mairéad muiris niall niamh nollaig nuala odhran oisín oonagh orla orlaith pádraig
páidí proinsias réaltín ríona róisín ruairí ruadhán rónán sadhbh saoirse séamus seán sinead sinéad siobhán
sorcha tadhg tomás treasa ultan alasdair beathag calum catriona cairistìona donnchadh eilidh eilis euan ewan
fearghas iain iona ishbel kirsteen lachlan mairi mairead morag morven mhairi murdo ranald
ruairidh seonag seonaid sheena shona struan torquil tormod uilleam
";

const POLISH: &str = "
adam agata agnieszka aleksander alicja andrzej aneta anna antoni artur barbara bartłomiej bartosz beata błażej
bogdan bogusław bożena cezary czesław damian daniel danuta dariusz dawid dominik dorota edyta elżbieta emil ewa
ewelina filip franciszek gabriela grażyna grzegorz halina hanna henryk ignacy ilona irena iwona izabela jacek
jadwiga jakub jan janina janusz jarosław jerzy joanna jolanta józef julita justyna kamil kamila karol karolina
katarzyna kazimierz kinga klaudia konrad krystian krystyna krzysztof lech leszek lidia łucja łukasz maciej magda
magdalena małgorzata marcin marek maria mariusz marlena marta mateusz michał mieczysław mikołaj milena miłosz
mirosław monika natalia norbert oliwia patrycja patryk paulina paweł piotr przemysław radosław rafał renata robert
roman ryszard sebastian sławomir stanisław stefan sylwia szymon tadeusz teresa tomasz urszula wacław waldemar
wanda weronika wiesław wiktor wiktoria wioletta witold władysław włodzimierz wojciech zbigniew zdzisław zenon
zofia zuzanna zygmunt
";

const TURKISH: &str = "
abdurrahman adem ahmet ali alper asli ayhan aylin ayse aysel baris berat berk bilal bora bulent burak burcu
caner cem cemal cihan defne deniz derya dilek ebru ekrem elif emine emrah emre engin enver ercan
erdal erdem eren erhan erkan erol esra fatih fatma ferhat fikret filiz furkan gizem gokhan gonca gulay gulsen
hakan halil hande hasan hatice huseyin ibrahim ilhan ilker ismail kadir kemal kerem koray kubra leyla levent
mehmet melek meltem merve mert metin murat mustafa nazan nazli necati nuray nurgul nuri oguz okan omer onur orhan
osman ozan ozge ozlem pinar ramazan recep refik sabri salih seda selcuk selim selin semra serdar serkan sevgi
sevim sinan suleyman sukru tarik tolga tugba tuncay ufuk ugur umit umut veysel volkan yakup yasar
yasemin yasin yavuz yeliz yigit yusuf zafer zehra zeki zeynep
";

const ARABIC: &str = "
abdalla abdelkader abdi abdifatah abdihakim abdikadir abdikarim abdinasir abdirahman abdirashid abdirizak abdisalam
abdiwahab abdulaziz abdulkadir abdullahi abdulrahman aden adnan ahlam ahmed aisha akram ali amal amin
amina amira anisa anwar arwa ashraf asma ayaan ayub aziz basma bilal deqa dina fadi fadumo
faisal farhan farhiya farid faris faisa fatima fatuma fawzia firas fowsiya ghada guled habiba hafsa haitham
halima hamdi hamid hamza hawa hibo hiba hodan huda hussein ibrahim idil idris ifrah ikram iman ismahan
ismail jamal jamila karim khadra khadija khalid khaled laila layla liban lubna mahad mahamed mahdi mahmoud
majid malik marwa maryan maxamed maxamuud mohamed mohammed mohamud mona mubarak muhammad muna mustafa nabil
nadia nasra nasir nawal nimco nimo nour omar osman rahma rania rashid rasha sabrin
sacdiya sadia sadiq safa safia sahra salim samira saynab shamso sharif shukri siham suad suleiman sumaya
tahir tariq umar walid waleed xalimo xasan xuseen yasin yasmin yasir younes yusra yusuf yuusuf zahra
zainab zakaria zayd ziad
";
