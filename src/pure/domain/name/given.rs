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
jarno aapeli aarni aarno aarto aatami aatoska adalmiina ahvo aija aimi ainikki ainokaisa airiina alisia alissa alli
alpi alpertti altti alvari alviina amadeus ameli anelma anelia anetta aniitta anitta annaleena annaliisa annamaija
annamaria anneliina annele annila annina anniliina anri antton anssu antonio anselm arhippa arsi artemi arttur asla
asmo atle atso attila atos augustus aukusti aulikki auri caritta danieli daniella diina edvard eedit eedla eeliina
eemil eenokki eerikki eerin eerinä eetla eevastiina eevaliisa eevert eevertti efraim eini einari elea elenoora
eleonoora eliisa eliisabet eliel elia elian eliana elielle elmi elna elviira emeli emelia emilie emili emmaliina
emmaleena ensio erkko ermo eugenia filippa fiina fiia frans frideborg hagar hannastiina hannaleena hannamaija
hannamari hannariikka hannimari heikka heljo helmiina helmikki hennariikka hennaleena hennamari henriika henriikki
hentti herkko hermanni hilarius hildur hilppa hiski huugo huuko iidaliina iiko iikka iinu iira iiria iiri iiro iisa
iisak iita iitu iivari iivo ilmatar ilmo ilmi ilmariina ilmiina immo immanuel imma isko ismo ivari jaakob jaakkima
jael jalmar janetta jannika jannina jarna jarko jarkki jarre jasmiina jasmina jatta jasu jennamari jenniina jennika
jennina jeremia jeremias jerina jermu jerri jero jessiina jesperi joeli johanni jonni jooa joosef joosua jooseppi
joosia joukahainen jouna jounikka jousia juhamatti juhapekka juhko julianna juliaana julle junnu juudit juulianna
juuliana juutas jyry kaarin kaarlotta kaapeli kaapro kaarniina kaatri kaisamari kaisaleena kaleva kallervo kamilla
kariina karlo karmela karri kassu katariitta katinka katrimari kerkko kiija kimmi kirsimaria kirsimarja kirstiina
kitti klaara klasu kleo kleopas konstantina kordelia kuisma kustavi kusti kustaavi lauha lauramaria lauriina
laurentius laurina leea leenamaija leenamari leenu lemminki lemmu lennu leona leonoora levi liinu liisamaija lilly
loretta louhi lumikki lunna lyyli lyydia lyydi maari maariaana maaru magdaleena maijaliisa maikku maiken makke malena
malvina mandi mannu mareena maren mareetta margareetta margaretha margetta mariaana mariella marikki marikka marilla
mariliina marilka marinella marinka marjaleena marjaliisa marjariitta marjaterttu marjamaija marjoriitta marjakka
marjuska markko marketta markta marleena marrita martiina maru marva mattiina maunu meea meiju melinda meliina melli
merina merituuli merta miea mielikki miikael miikkael miio miira miisa miisu mikku miiro miikkali milko milli mimma
minerva miiamari miriami mirika mirjamaija mirjaana mirette moona muusa mylene nanni nannu nasti natali natanael
nefeli nelma nelmi neelia niia niila niilas niiles ninnu ninna nitta niiva noelia noomi nyyrikki oivi okku olina
oliivia onervo ooda oodi oola ophelia orvo otteri otteli otteliina ottilia paavali pekko pellervo pepita perttu
perttuli petruska petrus piitu pippa pirkka pirkitta pirjetta pirkkoliisa pyry päiviö pärttyli raafael rabbe raila
raini raimon rauna reea reine reino reini remi remu renja reni rhea riia riikko riiko rikhard rikhart riki rinja
roosamaria roosaliina rosaliina rosita ruuben ruuti rurik saaga saaramaria saarika saarikka saida saini sallamaari
saloma salomo salomon sameli samea sampsa samuliina sandri sanja sannamari sannaleena sannamaria sannakaisa sannaliisa
santra santiina sanelma saraleena seelia selene selja siiriä silvo simeon simmo simona sinituuli sinimaaria sinimaria
sinja sipi siria siriina siriel sirke sirkkaliisa sirja sissi sivi soile solja solina soni sorella suvituuli sylve
säie taava taavetti tabita taija taimo taira talvikki tarita tauniina teea teijo tellu tenhu teodor terhikki terhikka
teresia terike tessi teuva therese tiiamari tiinakaisa tiiro tiiti tiitta timotei timoteus tinja tinka tinna titta
tito titus tomma toiva torolf tuiju tuikku tulikki tuomaria tuomikki turre tuuliina tuulimaria tytti tyyra ullamaija
ullariitta ullamaria ulriika unni unna untamo valfrid valtter valtti veeko veerti veikka velimatti venni ventla venny
vesamatti viia vikke vikki vihtori vihtoriina viljaana viliina villimari vilppu virna virpi virva vivika volmar
väinämö wiljami wiljo wilho wilhelmiina waltteri walpuri valpuri wivi yrjänä ylermi
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
abbe adina adla agnar agne agnetha aida alba alberta albertina albrekt aldor alexia alfons alfonso alfrida algot alida
alise allie allis almida almira alrik alve alvida alvina alvine alwin amaranta andor andreia andrine angelica angeline
anine annabell annakarin annalena annalisa annbritt anncharlotte annkristin annlouise annmarie annsofie annelise
annica annicka anny armida arnar arnbjörn arnulf aron arvida asbjörn asgerd asmund astor astri augusta augustin
axelina axelia ayla baltsar baltzar bendik bengta benkt bertolf billie birgith birk birthe bjarke bjarni bojan bojana
boel bolette borghild brittmarie brynhild brynolf början camille caspar catharina cathrin cathrine catrin catrine
catrina ceasar cecilie celina charli charlott chatarina christen christin claes clementine cornelius dagfinn dagny
dagur dante denice didrik ditte ditlev domenique dorotea dorrit ebbe edita edor egil eilert eilif eiwor eivor ejnar
ejvind eleonor eleonora elfrida elida elie elija elinore elinor elize elja elmer elof elon elsy elva elvina elving
elvy elwy embla emely emerentia emerik emeritia emilio emina emmeli emmelie emmerik emmerich engelbrekt enok enya
erita erling erma ernfrid ernestina ernold esaias eskild estrid etel eufemia eugenie evangeline evalena evalotta
evamaria evelyne eyvind fabiola felicie flemming franciska frej freja frejdis fredrique freyja fridolf fridolin frits
fritiof frithiof fritjof frode gabbe gaston geir geert gerdt gertie gertrude gerty gillis gottlieb greger gudbrand
gudmund gudny gullan gullbritt gullevi gullmaj gunbritt gunder gunlög gunlaug gunne gunny gunnvor gurli gustavo gusti
gustafva gustava gävert göte götha götil haakon hadar hagbard hagbart halldor halvar halvard halvdan hanny hansi hebbe
hebba hedy heintz hektor helmer hemming heribert hermine hervor hildegun hildeborg hilmer hollie hortensia huldah
hulda håvard iben idun ilva indra inez ingalisa ingabritt ingamaj ingar ingebjörg ingeborn ingegard ingemo ingmarie
ingolf ingunn ingvald ingvor ingwar ingvild isidor isidora ivor izabella jackline jacky jakobina janerik janolof
janett jannica jannice jannicke jannie jannike janny jannis jennica jennyann jimmie joar joeline johanne johannis
johny jona jonah jonn jorid jorun jorunn josefa josua julina junie jytte jöns jöran karoline kassandra kathrine
katrine kaya kettil khalil kiana kirstin klarissa konny kornelia krafft kristine kristy laban lajla larseric lauritz
lave lejla lenamaria lenita lenia lennox leonardo leonora leontine leopoldina levina lian lillan lillebror lillie lilo
linette linnie linnart lisalotta lisabeth lisanne lise liselotta lissie lissi livija loke lollo lorentz lotti louie
loukas ludde lulu lykke madelaine madelein madelene madicken madlen mads magdalene magni majgun majlis majvi majvor
majlen malene malina malkolm malvin manda maniel manon marcela marcelo margaux margery margita margith margret marica
marieann marielle marielouise marijana mariola marissa maritha marla marleen marthe maryann massoud mathilde mathis
matilde matheo matteo matteus maurits mauritz maxine maximus mayvor melwin merete meriam mileva milian milda milia
millan millhild milly milton mimmie mimi minda minette mirelle mirijam monalisa monia monique mounir myrna naemi naja
nanette nannie nanny narin natacha nathanael naya nicolai nicolina nicoline nikolina niva nomi noni norna notburga
novalie odelia odil ofelia olaug olava olav olena olea orvar osborn osvald otilia otti pascal patricio patrizia
paulette paulos peder pehr pella perolof pernille petersson petrina petrine petronelia pierre pippi preben rafaela
ragna ragne ragnvald ragnwald rakel ramon randi randolf raoul rasmina raya rebekah renée riana rickie ricki rico rina
roald robertina roberto rode ronya rosalina rosaline rosanna rosemari rosel rosina ruthie salome saphira sebbe selena
serina shadi sibylla siduri sigfrid sigbert sigbjörn siggan sigmund sigrun sigun sigurdh sigvald sigvard sigvarda
sigyn simonette sindre sindy sinnika sissel sissela sixtus smilla snorre solange soliman solrun solvej solvi solvig
solweig soren stefanos stieg stine styrbjörn sunniva susana suzanna svana svenerik sverker sverre tekla telma teodora
teres tessan thage thaira thalia thamara tharald theres thim thorbjörn thorborg thorbiörn thord thorgny thorild
thorleif thorvald thure thyra tiana tilia tiril tjelvar tjorven tonje torbjörg torborg torild torill torleif torleiv
torkel torhild torun torulf torvid traian trond troels truls trygve tryggve tula tullia tyrone ullacarin ullagreta
ullakarin ulricha ulrica valle vanadis vassilios velma vendla vendelina vibeke viktoriana viggo vigdis vigge vigo
viktorina vilda vilgot viljar vilia villemo villiam villiami vilmer vilna vilmar vitalis vitus viveca viviann vivianne
vivvi wahlfrid walborg walfrid wallentin wanja warner wenche wendela wenner werna wictor wictoria widar wiggo wilda
wilgot wilhelmina wilmer wilmar wilton wiola wiveca wiveka wolmar yasmina yasmine ylwa ylvali yngvild yngwe yrsa
ysabel yvonn zacharias zackarias zakarias zebulon zelma zeth zigge zilla zoey zonja åshild åste åsvald östein
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
aadi aadolf aabel aabram adeliina adelaida adik agaate agate aimar aini aira airika airiin aivi aivika aldo aleksa
algis aliis aliise allar alviine ameelia amelii amelja ammon anatol andero andree andrella andri andro andry anett
angeelika anika annaliis annely annett annike ansgar anto antoon ardi arina aris arle arlo arly armand arnika arti
arturas arundas augo aurelia aurika ausma autlev avely betti bianka boriss brigitta brit bronislav carmel caroly
cathlin cathleen catlin caty christella christjan christo christofer cristel cristo daisi dagne dagnis damir damjan
daana daiana danil danila dariana darina deboora debora deivi deivid deniss denny donat dustin edda eddi eeda eidi
eigo eiki eiko eili eimar einike eiri eiriin eite eivi elar elari elerin elisabeta eliine ellerin elsbet elve elvo
elviine emelii emilija endi endri endrik eneken enelin eneli enely enrike enri enriko enrik ennu erge ergo ergi eriina
eriko erli erko erni eron ervi etti eveliin everly feliks feliksi fredy gaili gaimar geidi geeli geeno genrih genri
genno gerde gerdo gerdi gerle gerlin gerly gerlyn gerri gerta gerte gerti gertu geven gisele giina gorden greete
greeta greth grethel gretha gretlin griete gusta haidi haili haivi halliki hannaliisa hannaliis hannelii hanni hannika
hardo hardu harli hartvig hedi heidy heido heidit heijo heilika heili heily heimar heinar heinart heinno heinrih heivi
heivo heleen heleene helerin helgi helgo heliis heliise heliin helika helis helju helly hellar helmar helmo henel
henek henari hendra hendri hendrich heneli henriete henrie henriko heret hergi hergo herko herki hervi hilar hilari
hilaria hillart hillari hilli hilme hilve hindrek hinrek iivi iivika ille ilvar ilvi imants imme indrik ingel ingerid
inghild ingri ingomar innar innari iren irje ivanna ivita ivon jaago jaane jaanek jaanis jaanik jaanu jaap jaaska
janari jandre janelle janeli janeta janete janisa janmar jannes jaron jasmiin joann johhan jolanda jolana josep juhhan
juko jurgis jürgo jürno jürjo kaaren kaarli kadrian kadriann kadriin kaiar kailo kaimo kairit kairin kairiin kairo
kairis kaira kalina kalmar kalvi kaori karell karit kariin karlos karlis karli karmel karmo karmil kassi kaspari
katariine katarin kathlin katju katriin katrit katti katty kauro kaye keanu keiju keiri kelia kendrik kenert kerda
keret kergo kermi kerrie kerrli kersta kersto kerste kertin kertrud kertta ketrin ketrina ketri ketter ketre ketli
ketlyn ketty kiiri kirke kirli kirsika kiur klaarika klarika klem koidu koido kornel kreet kreete krete kreeta
kristella kristelin kristiin kristiana kristiane kristlin kristli kristopher kritti kusta kustas kustav kuno kusto
kuidar kylli kyllike käbi kätu külliki küllar lagle lainer laineli laivo larissa laureen laurits laurentsius laurin
lauris leandra leelia leemet leen leidi leigo lembi lembo lemme lennar lennard lenno lenne lennok leonid liene liane
lidiia liidi liidia liilia liilika liinar liisbeth liisel liise liisele liiselotte liivia liisette liljana lilliana
lindi linnet lisanna lisann lisell lisandra liset lissel loora loorits loorens loreen loreena loreta lorella loriin
ludmilla lukass lylian lüüdia lüüli maarek maario maarius maarjan maarjaliis maarjaliisa maarten madara mailen mailiis
mairo maiu maive maivi maivor makar mallor malvi malvo malviine manona marat marcell mardo mareks mareli margarit
margete mariami mariell marien mariete mariette marii marilin marilii marilis marily marionella marioly mariska marken
marklen marlin marlise marly martel marteli marti martino marts marvi marvo matei mattheus matvejs maurus mayra meedi
meelike meerit meinhard meinart melani melania melita melly merelle merilyn mereli meriliin merlen merli merlika
merlis merte meryl miana miiu mikaella miliana milva milvar mirabel mirabella mirell mirtel miron moorits morten
myrtel naatan nansi nastasja nataly nataša nensi nicol nigul nigulas nika nikol nikole nikolete ninell ninel normann
oive oktavian olari olimp olvar olvi olvia osmar otomar otniel ottomar paavel paola patriik patrisia pauliine paulius
pavo peedu peedo petrik piibe pilvia pilleriin pilleriine pirgit pirgita piretta priido priidu priidel raahel raidar
raiko raimar raimi raina rainar rainis rais raissa raite raiti ramil randmar rannar rauf raune raunon reanika rebeka
reedik reeno reena reelo reemet reeli reelia reeo reesi regiina regita regiine reigon reilika reimar reimond reina
reinar reinis reinut relika renar reneli renet renita renno rianna riccardo rihard rihhard riika riine riinika riivika
rikko rika ringo risko ristiina rito riti robby rocco rolan romek romana romas romili rony rooland roobert rooni roosi
roosmari roosmarii roven ruslana russel ruudi ruudo rustem rynno rünno saljeri saltanat samuil sanno sandor sandro
saskja seleena selli serafima sergeiy sigrit siidi siivo silbi silje silvar simson sinaida sirelin sirlet sirly sirlin
siiru sofija spartak stefani stefi stefany suusi suusan svetla svetozar taaniel taavo taima taimar taiki taire taivi
talvo tambert tammo tanno taniel tanis tariel teno teri terina timmo timmi timotheus tinno tita tommas triinely triine
triinika triinuly trine trinu truuda truude tuuliki tuulika tõnno tõnnis tõnni umberto urbo urvi urvo vaige vaigo
vaiko vaido vaimar vainar vaiu valdar valdeko valdo valerija valfried valfriede valmar valmi valner valvo vambo vanda
vassili veevo veiki veigo veimar veimo veinar velli velmar velmi velta venno veroonika vester vidrik viiu viivian
viivika viktoriia viliam viliard viljam viljard vilgo villard vilmi vilve vineta violeta virgi virgot virmo virko
visvaldis vitold viviana vlada voldi volli volmer vootele õilme ülven yanina yara yoko zaira zarina zahhar zoja
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
abbi abigale adela adeline adrianne adrienne agatha ailsa aimie ainsley alaina alanna albie alden alessandra alessia
alethea alexandrina alexandria alford algernon alisha aliyah allegra allyson althea alyssa alysha alyce amabel amara
amari amaya ambrose amie andie andrena anabel anais aneurin angelique aniyah annalise annaliese annamarie ansel anson
anthea antoine antoinette antony aparna arabella aran arden ariadne arianna ariella arnie arron arun arya asha ashanti
asher ashleigh ashlee ashlyn aubrey audra augustine averil avery avril ayden azaria bailey barbra barney barrie
barrington bartholomew bartley baxter beccy belinda benedict berenice bernadine bernice bessie bethan bethanie
beverley beverly blanche blane blaise blythe boyd brady brandi breanna bree brendon brenna brent bria briana brianna
brianne brigid briony brittany brittney britney brodie brody bronwen bronwyn bryce bryn brynn caden caitlyn caleb
calista camryn candace caren carey carissa carlene carley carlie carlo carlotta carlton carlyle carmela carmelo caron
carolann carrieann carsen carys cassidy cassie caterina cathryn cedric ceinwen celeste ceri cerys chaim chantel
chantelle charis charlee charleen charlene charley charlton charlize chaya chelsey cherie cheyenne chiara christabel
christal christi christiana christop christy chrystal cicely cissie clancy clarice clarinda claudette claudine clem
cleo clifton clint coby cohen colby coleen colette colleen collette conan conrad constance consuelo corey cori corin
corrie corrina corrine cory courtenay cressida cyndi cyrus dahlia daisie dalia dalton danial danika dannie danni
darcey darci darcie daren darla darlene darnell darran darrel darrin darron daryl davida davina dayna dayton deana
deandre deann deanne debby debi deena deidre deion delilah delores delphine delroy delyth demelza demetrius demi
deniece derick derrick deryn devan devin devonte dianna dillon dinah dionne dixie domenic dominick donell donnie
donovan dorian dorinda dorit dottie dougal dougie douglass drusilla duane dudley dulcie dwight dymphna eden edwina
egbert eiluned eirlys elaina elan elana eleanora eleanore elijah elisha elissa ellena ellery ellesse ellise elodie
elora elouise elroy elwood elwyn elyse emery emlyn emmeline emmett emmie emrys emyr enfys enrique ephraim ericka errol
esmae esmee esmond ethelbert evadne everett evie eyre faron farrah federica felice ferne finbar findlay finley finnian
fion florrie flossie francesca francine franco franklyn frazer frazier freida gabbie gaia galen garen garfield garth
gavan gaye gayle genevra geordie georgette georgiana georgianna georgie georgine gerrie gianna gideon gilda gillie
ginette ginnie giorgia giselle gladstone glendon glenna glenville glinys glyn glynn glynne grayson gracie gracelyn
granville greer gregg greig grier griff griffin griffith grover gruffydd guinevere gussie guinivere gwenda gwendolen
gwendoline gwenllian gwenyth gwilym gwyn gwynne hadley haley halle hallie hardeep harleigh harlan harlow harriette
harriot harvie haydn hayden haydon haylee haylie henley herbie hermione hester hetty hillary hiram hollis honora
honoria horatio hortense huey hughie hywel ianto iestyn ieuan ifor ignatius ilana imani indie inigo iola iolo isaak
isabeau isha ishaan isher ishmael isidore isobella issac issy izaak izzie jacalyn jacinda jacinta jaclyn jacki jacklyn
jacquelin jacquelyn jacquelynn jacques jacquie jaden jadon jadie jaida jaiden jaime jaimie jaimee jaleel jalen jamar
jamel jamelia jameson jamison jancis janessa janey jania jannette jannine jaqueline jarred jarrett jarrod jasmyn javon
jaxon jaxson jayda jayden jaydon jaye jayla jaylen jaylene jayme jaymie jayson jazmin jazmine jeana jeanie jeanine
jeanne jeannie jeannine jedediah jemal jemma jenae jenessa jeni jenifer jennette jenson jerald jeri jermain jerold
jerrold jerusha jesica jessamine jessamy jessy jett jewell jillian joannah jobeth jocasta joceline jocelynne jody
joely joelle joetta johnathan johnathon johnna johnnie jolie jolyon jonty jordana jordi jordyn jorja jory josefina
josephina josette joslyn josue joycelyn juana juanita judah judd jude judi judie judson judyth jules juliann julianne
julienne julieann julieanne julissa justina justine kacey kaci kacie kaden kadie kailey kaitlin kaitlynn kalvin kamal
kameron kanye kareem karena karis karissa karlie karly karon karrie karyn kasey kassidy katelyn katey katharyn
katheryn kathie kathlyn kathryne katlyn kayden kayla kaylee kayleigh kayley kayne keaton keegan keely keenan keesha
keisha kellen kellie kellyann kelsea kelsie kelsi kelvyn kendal kendall kendrick kenia kenna kenney kenrick kenton
kenzie keri kermit kerryn keshia kevan kevyn khloe kian kiara kiefer kiera kieron kiersten kiley killian kimber
kimberlee kimberleigh kimberlie kimberlyn kingsley kiran kirstyn kizzy kobe kody korey kory kourtney krish kristal
kristan kristie krystal krystle kurtis kyla kylan kyleigh kylie kyra kyran kyrie kyson lacey laci lacie ladonna laird
lakeisha lakisha lamar landon laney lanny laraine lashonda lasonya latasha latisha latonya latoya lauran laurelle
lauretta lauriane laurinda lavern laverne lavonne layton leandro leann leanna leanora leigha leighann leighanne
leilani lela leland lemuel lenard lennie lennon lenora lenore leonore leora lesa lesli lesly leta lettie leticia levon
lewin lexi lexia lexie lianne libbie lilah liliana lilibet lilith lillia lindsey lindy linsey linton linwood linzi
lissa lita lizbeth lizette lizabeth llewelyn llinos lonnie loraine loren lorenzo lori loriann lorie lorin lorinda
lorna lorne lorri louella luana luciana lucien lucila lucilla lucina lucius lucretia ludo ludovic luella lula luther
lyall lydon lyla lyndon lyndsay lyndsey lyndsy lynnette lynsay lynsey lynton lynwood lysandra lysette mabelle macaulay
mackenzie macie macy mack maddalena maddox madeline madelyn madelynn madi maddi madina magdalen maisey maisy makayla
makenna makenzie malakai malakhi malala malia mallorie mamie manny marcelle marcellus marci marcie marcy margaretta
marguerita maribeth maricel mariela marilynn mariona marisa marjory marlee marley marlo marlyn marlys marni marnie
marsden martine martyna marvyn marybeth maryanne maryjane marylin marylou maryrose masie mathieu mattie matty mauricio
maurizio maurine maxene maxie maximillian mckenna mckenzie meagan meera meghan meirion melany meline melisa mellisa
melony melvyn melva mercia meriel merrick merrill merryn mervin meurig micah michaella migdalia mikayla miko mindy
minnie mitch mitchel mitzi mohsin moina mollie monet monroe montague monte montgomery monty mordecai morgana morna
mortimer morton morwenna moya moyra murdoch myah myfanwy mylah myla myles mylo mylie myron nanci naomie narelle
natalee nathanial natividad navid naveed nayan neave nehemiah neila nelda nena nerissa neriah nerys nesta neva nevaeh
nevan nevil nichola nicholette nichole nickie nicolette nicki nigella nikkita nikhil nila nigelle ninian nisha noam
noelene norina norrie norval nyah nyla nyree odell odessa olwen olwyn olympia omari orson orville osbert osian owena
ozzie ozzy paloma pamala pamella parminder parry parvati pascale pascoe paulene pauletta paulita pauly payton pearle
pearline peggie peregrine perla pernell perrin perseus peta petula peyton phebe phelim philbert philemon philipa
philomena phyliss pieter piran pollyanna poppie portia prentice presley pricilla prunella purdey quade quincey quinlan
quinton rachele rachelle radley raegan rafaella rafe raffaele raffi raheem rahim raleigh ramsay ramsey ramiro randal
randell ranulph ranveer raphaela rayan rayanne rayford raylan rayleen raymund rayna rayner rayssa raymondo reagan
reanna rebeca rebeccah rees reese reeva regan reilly remington remus remy renato rheanna rhett rhia rhianna rhianne
rhian rhiana rhodri rhona rhydian rhyan rhyley rhylan rian richelle rickey rihanna rion riva riya roan roanna robbi
robina robson rochelle roderic rodolfo rodrigo rodger rogan rogelio rohit rolando romain romaine romilly ronda ronna
ronson rosalba rosaleen rosalia rosalinda rosalyne rosann rosanne rosario roscoe roseann roseanna roselyn rosella
roshan roshni roslyn rossana roxann roxanna roxie roxy royce royston rozanne rozelle ruari rubi rubin rubina rudy
rupinder ruthann ryanne ryker rylan rylee ryleigh sachin safiya sahil saira sallyann sallyanne salvatore samia samina
sammi sammie samual sanaa sanchia sandeep sandie sandi santiago santino saranna sariah sarai sarahjane savanna
scarlette scot scottie sebastien selah selby selima selwyn seren shabana shad shahid shakira shamus shana shanay
shanel shanelle shani shania shanna shannan shannen shannyn shanon shaquille shara sharla sharleen sharlene sharman
sharmila sharna sharron sharyn shauna shaunna shavon shawna shawnee shaya shayla shaylee shayna shayne shea sheelagh
sheilagh sheilah shelagh shelbie shelia shelli shellie shelton shereen sheree sherelle sheri sherice sheridan sherie
sherif sherill sherilyn sherman sheron sherri sherrie sherryl sherwin sherwood sheryl sheryll shiloh shirin shirleen
shirlee shirlene shivani shonagh shoshana shreya shyla shyanne sianna sidonie sienna silvester sioned sion skyla
skylar skyler skylah sloane soleil sondra sonny sophy soraya spenser stacie staci stacy stef stefano steff steffan
stephani stephany stephon stephania stevan stevie sukhdeep sukie suri susy suzan suzette suzi sybilla sydnie sylva
sylvan sylvana sylvie tabatha tabetha talia talisha taliesin talitha tallulah tamela tamera tami tamia tamika tammie
tammy tamsyn tamzin tanith tansy tansey taran tarah taryn tarquin tayla taylah tayler tayo teagan tegan tegen terrie
terrell terrence terryl tessie tevin thad thaddeus thandie thandiwe thane theadora thekla thelonious theodosia theron
thom thomasin thomasina thurston tianna tiara tibby tiernan tierney tiffani tiffanie tillie timothea tine tirion toba
tobey tobie tobin tonia torey torin tracie traci traicey travon tremaine trenton tressa trev treva trevon trisha
tristen tristram troy trudie truman tybalt tylor tyree tyrell tyrese tyson ulysses uriah valarie valentino vance
vashti vaughan vickie vikram vinny virgie vito vivek viviane vonda warrick wasim waylon weldon wendell wenda wenona
westley whitney wilber wilbert wilford willa willem willemina winona winslow winton woodrow wynn wynne wynona wynford
wynter xandra xanthe xavier xena xiomara yasmeen yehuda yolande yosef yseult ysanne yvaine yves yvie zachariah zachery
zackary zain zaki zaria zandra zavier zayden zayn zayne zebedee zena zenobia zion zoie zola zora zuri zyaire
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
abelone adalbert adelbert adelgunde adelina adriane agnete aglaia alban albertine alena alessa alessandro alessio
alexandrine almuth aloisia aloisius aloys alrun altraud alwine amando amely amon anastasius angelo anina annaleen
anneka anneke annelene annelies annelore annerose annick annkathrin annkatrin annekathrin annekatrin antonella antonie
anuschka ariane arian arik armando arnfried arnim artus athanasius auguste aurel aurelius balduin balthasar baltasar
bärbl barnabas bartholomäus bastiaan beate beke bendix benedetto benedicta benedikta benjamina benoit bente bentje
berenike berna bernarda bernardo berndt bernfried bernhardine bernhild bero bertl bertold bertolt bertram betina
bettine bibiana birga birka birke blanca blanka bodomar bogislaw bolko bonifatius bonifaz bork borwin brigida brunhild
brunhilde burckhard burchard burkard camillo caja catja cedrik chayenne christfried christhard christlieb christof
cilia cilli cilly claas claudio claudius clemence cölestin collin constanza corvin cosima cosma crescentia crispin
cyprian cyrill dagobert daggi damaris dania danilo dankmar dankward dankwart dario darleen davud delf demian detlev
dian dieta diethard diethild dietgard dietke dietlind dietlinde dietram dino dirck ditmar ditta dolf domenica domenik
domenico dominika donata donatus dore doritt dorina doriana dorle dorothe dorthe dunja ebbo eberhard ecki eckart
eckehard eckehart eckhardt eckhart edelgard edelgarde edeltraut edeltrud ediltrudis edmunda eduardo edzard effi egid
egidius egino egmont ehrenfried ehrentraud ehrhard ehrhardt einhard ekkehard ekkehart ekkhard elbert eleni elfgard
elfie eligius elisabetha elisabethe elko ellengard ellinor elsche elsemarie elske elwira emanuela emeram emerenz
emerich emilian emiliano emmeram emmo engelbrecht engelhard engelhardt enrico enzo erasmus erdmute erdmuthe erkenbald
ermelinde ermina ernestus erwine estefania eugenius eulalia euphemia eusebia eusebius eveline eycke fabiano fabien
fabio fabrice fabrizio falko farina federico felicitas felicitias felina felipe felizitas fenja fenna ferdi ferdinanda
fides fidelis fiete fila finja finnja firmin flavia flavio florentin floriane floriano folker folkert folkmar franca
francesco francois franka franko fränze franziskus frederic frederica frederike freia freimut freimuth friedegund
friedemann friederun friedegard friederich friedericke friedhold friedlinde friedmar friedo friedrun friedwart friso
frithjof fritzi frowin fynn gabor gandolf garlef garlieb garrelt geeske gela gelja genia genoveva geno georgius
geraldina gerfried gerharda gerhardine gerhild gerhilde gerit gerke gerko gerold geronimo gerriet gertraud gertraude
gertraut gertrudis gerwin gesche gesina gianluca gianni gila ginevra gino gionina giovanna gisa gisbert giselheid
giselmar gislinde gismar giuseppe golo gotelind gottlind gotthard gotthardt gotthelf gotthilf gotthold gottwald grazia
gretl griseldis gritt gritta grischa guenther guglielmo gunar gundel gundi gundolf gundram gunhilde gunnhild guntbert
guntfried guntmar guntram guntrud gustel gustl gwendolin gyde hadmut hadumod hadwig haiko haimo hajo halka hanja hanjo
hanke hannerl hannelie hannedore hannibal hanns hansgeorg hansjürgen hansjoachim hanskarl hansjakob hanswerner
hansdieter hanspaul hariolf harro hartfried hartlef hartmuth hartmud hartwich hartwig hatto hedwiga heidelinde
heidelore heidemaria heiderose heidrose heidruth heila heilgard heilwig heimbert heineke heinke heinko heintje heinzi
heio helgard helma helmfried helmine helmke helmtrud heloise hendrika hendrike hendrikje hennie henriet henrike herma
hermance hermien hermina hertha herwart herwig herwarth hieronymus hilbert hildburg hildebert hildebrand hildegund
hildegunde hildegundis hilke hillard hiltraut hinnerk hinrika hippolyt holda holdine horstmar hubertus hubertine
hugbert huberta hugobert humbert idis ignatz ignaz ignatia ilga iliane illona ilsa ilsabe ilsebill ilsedore ilsegret
ilselore ilsemarie imke ingbert ingeburg ingeborga ingeline ingelore ingetraud ingetraut ingold ingraban ingram inke
inken innozenz insa iolanthe irenäus irenka iring irmela irmelin irmengard irmentraud irmentrud irmhild irmina
irmtraud irmtraude irmtraut irmtrud isabela isolda ivette iwan jacoba jacobine jacobus jacomina jaike jakobus jakobine
jamina janin janik janneke jannick janosch janusch jara jaromir jaschar jascha jaspar jella jelle jelto jendrik jennes
jennis jenrik jesco jeske jesko jette jobst jochem jochim jockel jodok joelina jolanthe jolien jordis joris jorit jörk
jorrit josepha josephin jowita jucunda judica judika judithe juergen jukunda julias julika julischka julitta junia
jürg jürn jutha kajetan karima karlheinz karlfried karlotta karolus karsta kasimir kassian kastulus katalin katarine
katherina kathinka kathrina katjana katleen keke kenan kerstina klaartje klasina klaudius klausdieter klauspeter
klementine klemenz klothilde klotilde knud koloman kolumban konni konradin konradine konstanza konstanzia koralie
korbinian korinna kornelius kosima krescentia kreszentia kriemhild krimhild krisztina kristiano kristof kristoph
kunibert kuniberta kurtheinz ladislaus laetitia lamberta lando landolf landolt larina laris laurens laurids lazarus
lennert lennja lenya lenja leonas leone leonel leoni leopoldine letizia leven levin levke lexa lias libor liborius
lienhard liesa liesbet liese lieselore lieselotte liesbethe liesl lieven liliane lilija lino lioba lior lissy litta
livius liudger ljubow lodewig loki lolita loni loredana lorina loris lothaire louan louka lowis luan lubomir luciano
lucienne lucio ludgera ludolf ludovica ludovika ludwiga ludwina luigi luisella lutetia lutger lütje luzi luzia luzie
luzius lydie lysander mada madita madleen madlene magalie magdalina magret mahmut maibritt maik maileen mainhard maiko
maira majda majella malaika malika malinda maline malwin malwina malwine manfreda manou manuella marah marbod
marcelina marcello marei mareen mareike mareile mareke marena margitta margred margreth margretha margrith marianus
maribelle mariechen mariele marieluise marietheres marieke marija marijan marijke mariko marilena marilene marinus
marjam marjan marjana marjeta marjolein marle marna marold marquard marret martell martje martijn martinus marwin
marwine massimo mathea matthaeus mattea mattes mattheo matthes mauritia mauritius mauro maxima maxime maximiliana
maximiliane maximilienne maximin maximinus mechtild mechthilde mechtilde medea meik meiken meinert meinhild meino
meinolf meinrad meinulf meira melchior melia melike melis meliha melitta mella melle mendel menno meret merlind
merlinde merten michela mieke mikail mikka milosch mirabell mirco mirea miriana mirl mirna mirta moana modesta moische
momme mone mumtaz myriam myrthe nadina nadescha nadeschda nahne nana nandor nando nani nannette narziss nastassja
neele nela nepomuk nesrin nevio nevin niccolo nickolas nicoletta nicolo niculin niclas nieke niklaus nikoletta nikos
nikoline nilgün nilo nilufar niobe nives noemie nona nonni norberta notburg odilo offried okka okke olenka oline oluf
onno orell ortfried ortger ortlieb ortrun ortwin osmund oswalda oswin otfried othmar ottfried otthein ottheinrich
ottheinz ottmara ottokar otward otwin ouwe ovid palina pankraz pankratius paolo pasqual patric patrizius paulinus
paulus peggi pepi peppo pepino persephone peterle petko petronilla petro petz philine philippus philo philomela pieke
pietro pinkus pirmin pius pola prisca priska quint quintin quintus raban rabea radegund radegundis radulf raffael
raffaela raika raimunda rainald raingard rainhard rainhild rajko raphaele rathilde regin regis regula reichard reik
reiko reimara reimut reinald reinfried reingard reingart reinhart reinhilda reinholde reinmar reinolf reinulf remigius
renke renske resl reto riccarda rieka rieke rifka rino robertine roderich rogier rolande romano romuald romulus
rosalinde rosamunde roselinde roselore rosine roslinde rosmarie roxane rudgar rudger rudibert rudolfine ruediger
rufina rupertus ruppert rupprecht ruprecht sabeth sabin sabrine salvator samanta samuela sandrina sandrine santo
sarina savina sebald sebaldus sebastiane sebastiana sebastiano selinde selia seraphin seraphine serafina servatius
severina sibel siana sibilla sibille sibyll sidonia siegbert siegbald siegburg siegert siegfriede sieghard sieghilde
siegi sieglind siegmunde siegolf siegrid siegrun siegulf siegward siegwart sielke sierk sigfried sighard sighild
sigisbert sigismund siglind sigward silka silko silvan silvestre silvie silvius silvin silwia simonetta simonia sissy
sonka sonnhild spiridon stachus stani stanislaus steen stefana steffie stephana stephane stephanus stewen stinnes
sturmius sumeja sunhild sunhilde sunna susane susen svend swana swanhild swanhilde swetlana swidbert sybill sylke
sylvio taddäus tade talea tamina tamino tankred tanita tasja tasso tassilo tede tela terezia thaisen thalea thalke
thamar thede theda theis theobald theoderich theodosius theodolinde theodorus theofried theophil thibault thiemo
thietmar thilda thilde thilmann thimo thorben thoralf thorge thorid thorolf thorstein thorwald thurid thusnelda tiark
tiberius tiemo tilla tilli tillman tillmann tilmann tinke tino tirza titania tizian tjade tjalf tjard tjark tjorben
tjure tomke tommaso tonio toralf torald torge torgen traudel traude traudi traudlinde traugott traute trauthilde
treuhold trix trixi trudel trudbert tuana turid ubald ubbo udalrich ufke ulika ullrich undine urbanus ursina ursola
ursulina ursus urte usch valentinus valerian valerio valerius valeska valeske varinka veit velten verone vicco vicente
viktorin vincenz vincenzo vinzent violette virgilia virginie volbert volkard volkbert volkert volkmut volkram volkrad
volkwin volprecht vreni wahida walburg walburga walda waldefried waldfried waldo waldtraut walfried walpurga walpurgis
walram walraud waltraut waltrud waltrun waltrude warnfried warin wassili wendel wendelgard wendula wenzeslaus
wernfried wernher wessel wetti wibke wibert widukind wieben wiegbert wigand wigbert wiglaf wiho wilhard wilhelma wilko
wilkin willehad willfried willhelm williram willma willmar willo willfrid wilm wilmut wiltraud wiltrud wiltrude winand
windfried winfriede winfrid winibald winni winrich witiko wito witta wittich wladislaw wolbert wolburga wolfdieter
wolfdietrich wolfhard wolfhart wolfhild wolfram wolfried wolfrüdiger wolfrun woldemar wubbo wulfhild wunibald
xanthippe xaveria yael yann yanneck yanik yannik yannis yanis yella yorick zarah zdenka zeno zenta zenzi zilli ziska
zyprian
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
aleksiy aleksija alfia alfiya alsu anatolii andrii andriy anfisa anisia anisiya antonida anzhela anzhelika aristarkh
arkadij arseniy arseny arsen artemiy artemii asiya aglaya agniya akulina avdotya azamat bohdan bohdana borislav
boryslav bulat chulpan danylo dariia dariya daryna dementy denys dilyara dinara dmytro dmitrii domnika dobrynya efim
elmira eldar elizabeta esfir evdokia evdokiya evhen evhenia evheniia fedir feodosia fyokla gavriil gavrila gayane
gulnara guzel gulnaz glafira galyna gerasim halyna heorhii hennadii hryhorii hryhoriy ihor illia illya iaroslav
iaroslava ignat igorj ilnur ilshat innokentiy iolanta ioanna ipatiy irakli iryna ivanka jelisaveta kapitolina kateryna
khrystyna klavdiya klim klavdija kuzma kyrylo larysa leonida leonti lesia lesya lidiya liubov liudmila liudmyla
lukeria luiza lukyan lyubomyr lyubomir liubomyr lyubava makarii maksym maryana mariia mariya marharyta maryna maryia
matvey matvii matviy mykhailo mykhaylo mykola mykyta mykolai myroslav myroslava miroslava milada milica mstislav
nadiia nadiya nadija nailya nataliia nazar nazarii nazariy nelia nelya nikifor nurlan oleksii oleksiy oleksandra
olexiy olesia oleh olha olimpiada oleksa ostap orest orysia pavlo pavlina pelageya prokhor praskovya radik radmir
ramilya ramzan ravil renat rezeda rinat rodislav saveliy savva semion serafim serhii serhiy sergii sergiy sergeyi
snejana solomiia solomiya sofiia stanislava stefaniya stepanida sviatoslav svyatoslav svitlana taisiya taisiia taisija
tamila tatyjana teimuraz tetiana tetyana tikhon timofij tymofii tymur trofim uljana ustina ustin vadym valentyn
valentyna valeriia valeriya valeriu valerii varlam vasilisa vasyl vasylyna vasilii vasilina venera veniamin vetaliy
viacheslav viktorya vilena virineya vitalii vitaliia vitalina vladyslav vladyslava vladislava vladlen volodymyr
volodimir vyacheslava viacheslava vyatcheslav yadviga yakiv yarina yaryna yaroslava yefim yefrosinya yemelyan yeva
yevheniia yevhen yevheniy yevhenii yevheniya yosif yulian yuliana yulija yuliia yurii yustina zakhar zarema zemfira
zhanneta zinovy zoia zoryana zulfiya zulfia
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
aistė algimantas algirdas alvydas antanas arūnas arvydas audrius audronė aurelijus aurimas aušra austėja birutė daiva
danguolė danutė deividas domantas donatas dovilė edvardas edvinas eimantas ernestas evaldas feliksas gabija gediminas
genovaitė giedrė giedrius gytis ieva indrė irmantas juozas justas kamilė karolis kazys kęstas kornelija kotryna
laimonas laurynas lijana liudas liudvikas marijus martynas matas mykolas modestas nerijus neringa nijolė osvaldas
petras povilas raimondas raimonda ramūnas ramunė rasa regimantas remigijus renatas rimantas rimas rokas rolandas
romualdas rytis šarūnas saulius severija sigita sigitas simas skaistė stasys sonata svajūnė tautvydas teodoras titas
ugnė vaida vaidas vaidotas valdas valentinas vaiva viktoras vilija vilius vincas virginija virginijus vitalija
vitalijus vladas vygantas vykintas vytas živilė žydrė žilvinas agita aigars ainārs alda aldis alfrēds alvis andrejs
anitra annija antra antons arita arnis artis arvis ārija ārijs atis austra dagnija dainis daiga dāvids dzintars
dzintra dzidra edmunds eduards egils egita egons ēriks elita elza emīls ervīns ginta gints gita gunārs gunita gundega
gunta guntars guntra gustavs haralds harijs helmuts henriks ilgvars ilmārs ilvars inguna inta iveta jēkabs kaspars
klāvs kristers kristiāns krists lelde līga līva madars mairita mārcis mikus modris monta nauris oskars ojārs olafs
olita patriks pauls raitis raivis ralfs ritvars ritma rolands rūdolfs rudīte sarmīte sigvards silvija sintija
skaidrīte solvita staņislavs tālivaldis toms uldis valters viesturs vija viktors vilis vilnis vizma zaiga zanda
zigmārs zigurds zinta ziedonis žanis zigrīda adelin anca anișoara antonela camelia carmina cezar cezara camil codrin
codruța corneliu costin crina crenguța cristiana daciana danut decebal denisa dorin doru dumitra dumitru ecaterina
flavius florentina florica florinel georgian georgeta gavril geanina gratiela grigore haralambie iacob ilie ilinca
ilarion iolanda ionica iosif ivona irinel iuliana iustin iustina lăcrămioara lenuța lucica maricica marinela marinel
marioara mirabela mirel miruna mioara narcisa narcis natalita neculai nicusor niculina octav olimpia paraschiva petre
petrica rares rodica romică ruxandra sanda silviu simion smaranda sorina sorinel stana stela stoica tiberiu tinca
tudorel tudora vasilica valerica veturia victorița vica viorica voichița voicu zamfir zaharia zoica ákos alajos ambrus
anasztázia andrás anikó antal aranka árpád balázs bálint barna béla bence benedek bendegúz bernadett bertalan boglárka
borbála boldizsár botond csaba csenge csilla csongor dénes dezső dorottya dömötör dzsenifer edina elemér elek emese
emőke endre enikő erzsébet eszter etelka ferenc frigyes gáspár gellért gergely gergő gerzson géza gizella györgy
györgyi gyöngyi gyula hajnalka huba ibolya ildikó istván jácint jános jenő jolán józsef kálmán károly krisztián
kriszta lajos lilla lóránt lőrinc lujza magdolna márton mátyás mihály miklós mirtill nikolett nimród orsolya ödön
pálma piroska pongrác rezső rózsa sarolta szabina szabolcs szandra szebasztián szilárd szilvia szilveszter szimonetta
szonja tamás teréz tibor tihamér timea tivadar vencel vilmos virág zsanett zsigmond zsófia zsolt zsombor zsuzsa
zsuzsanna zsuzsi adolfo agustín agustina aitana aitor alberto alejandra alejo alfredo alonso amaia amparo ander
ángeles aránzazu araceli ariadna arturo asier asunción aurelio azucena basilio begoña belén benito blas camila camilo
candela caridad carlota cayetano celestino césar cipriano concepción conchita cristóbal dámaso delfina domingo edmundo
encarna encarnación ernesto esperanza esteban estíbaliz eugenio eusebio facundo fermín fernán florencia florencio
genaro gerardo gervasio gilberto ginés gorka graciela gregorio guadalupe guillermo heriberto hernán hilario humberto
iker imanol inmaculada iñaki isidro isidra itziar izan jacinto jacobo javiera jimena josune juanjo julieta lautaro
leire leocadia lourdes lucrecia macarena maite mariano marimar mateo máximo melchor miguelángel milagros mireia moisés
montse montserrat nerea nicanor nieves norberto nuria obdulia octavio olalla oriol pascual paulino purificación quique
rafa raimundo remedios rosaura sancho segundo sergi teodoro teófilo toribio trinidad vanesa vicenta xabier xavi ximena
xoán yago yaiza yesenia zacarías achille adalgisa agostino alfio amadeo amedeo annunziata antonello antonino assunta
attilio augusto azzurra bartolomeo battista benedetta beniamino biagio brando bruna calogero carmine catia cesare
cinzia ciro clelia clemente concetta corrado cosimo costanza cristiano damiano desiderio donatella donato edoardo elio
elisabetta emanuele enrica ercole ermanno ettore fabiana fabrizia fausta fausto ferdinando filippo fiorella fiorenzo
flaviano fulvia fulvio gaetano gaspare gennaro germana giacinto giacomo giada giampaolo giampiero giancarlo gianfranco
gianluigi gianmarco gianpaolo gianpiero gioacchino gioele giordano giuditta giuliana giuliano giulio giuseppa
giuseppina giusy goffredo graziano graziella ignazio ilaria ilario immacolata italo ivano jacopo lamberto leopoldo
licia livio lorenza lucrezia ludovico luigia luigina manlio margherita mariangela massimiliano mattia morena moreno
natale nazzareno nunzia nunzio oreste orazio oriana ornella orsola osvaldo ottavia ottavio palmira pasquale patrizio
piera piero pierluigi pina raffaella raimondo renzo rinaldo rosaria rossella ruggero sabatino samuele santina saverio
savino silvano silvestro tarcisio tiziana tiziano tonino tullio ubaldo vincenza virginio vittoria vittorio ylenia
adrien alain albane alix amandine amaury ambre ambroise anatole angèle antonin apolline aristide armel armelle arnaud
arsène aubin aude aurélie aurélien aurore axelle aymeric baptiste barnabé barthélemy bastien bénédicte bérangère
bertrand blandine brice capucine carine cassandre cécile charline christelle christophe clarisse clotilde coline
corentin coralie cyprien cyrille didier donatien édouard éliane éliette éliott éloi émeline émeric émile émilien
emmanuelle erwan étienne faustine félicien félicité fernand fernande flavie flavien florent franck françoise
frédérique gaëlle gaëtan gaspard gauthier gautier geoffroy georges germain ghislain ghislaine gilles godefroy grégoire
guénolé guilhem guillaume gustave gwenaël gwenaëlle hervé honorine honoré hugues huguette jérémie jocelyne josée
josiane josselin julien karine laure laurette laurine léandre lilou loïc louane loup lucette lucile ludivine maëlys
mahaut marceau maxence maximilien maylis micheline mickaël mireille morgane nadège ninon océane octave odile olympe
ophélie orane oriane pascaline paule perrine philibert philippine pierrette raphaëlle raymonde réjane renaud rodolphe
rodrigue romane romaric roseline sacha ségolène séverine sixtine solène solenne sylvain sylvaine sylviane tanguy
théophile thibaut thibaud thierry timothée titouan tiphaine ulysse urbain valère victoire victorine vincente violaine
yoann yohan yohann yvan yveline yvon zacharie zélie abílio adelino aderito afonso albano albino alcides amadeu amâncio
américo amílcar anabela aníbal anselmo antão apolinário armandina armindo baltazar bartolomeu belmiro benedita
benvinda bento bernardete bernardino berto caetano caio cândido carmo celso cesário cíntia conceição constança
constantino cremilde custódio damião davi deolinda dinis dionísio dinora domingos donzília duílio dulce edite edmilson
edson eduarda elisabete ermelinda estela estevão etelvina eurico evandro everton ezequiel felisberto fernandina
florbela gerson gilson giovana graça graciete graciano gracinda heitor hélder hélio heloísa hermínia hermínio horácio
iara idalina ilda inácio iracema iria isaías isaura ivete izabel janaína joaquim joaquina jordão judite juscelino
jussara laurindo lígia lourenço luiz manoel márcio marília maristela mateus matheus micaela murilo natércia nestor
neuza noémia odete onofre otávio piedade priscila quitéria reinaldo ricardina rogério romeu rómulo ronaldo rosana
rosângela rute samara sebastião severino simão soraia telmo thaís thiago timóteo ubirajara valdir vânia vinícius
virgolino vítor vitória vitorino zélia zulmira adriaan adriaantje aleida anneloes annemiek annemieke annemarije arjan
arjen arie berend boudewijn brechtje carolien coenraad cornelis daan diederik dirkje eefje eelco femke ferry floris
freek froukje geertje geertruida gerben gijs greetje hanneke harmen henk huub ineke jacco jaco jelmer jeroen joep
jorik jurjen jurre kees leendert lenneke lieke lieve luuk maaike maartje machteld margriet marije marijn matthijs
merel miep mirthe neeltje niek nienke noortje rens reinier rianne robbert roel roelof ruud siem sietske sjaak sjoerd
sjors stijn teun teunis theun tijmen tineke truus willemijn wouter wietske lode griet godelieve goedele wannes bavo
aksel asger asmus birgitte børge esben frederikke herdis ingelise iver kirstine kjeld kresten lærke lauge lene malthe
margrethe mikkel mogens poul sidsel thorkild thyge vagn vigga villads aase aage arild arnfinn aslaug audun bjørg
bjørnar brynjar børre dagrun eirik eirin eivind espen frøydis gisle gjertrud guro halvor hege hallgeir håkon haldis
iselin jarle jofrid jostein karianne kjartan kjellaug kjersti kjetil kolbjørn oddbjørg oddbjørn oddmund oddny oddvar
ottar reidar reidun roar rolv sigrunn sigve simen solfrid solvår steinar stian ståle sturla sveinung svein synne
tarjei torfinn torgeir torstein torunn vegar vegard vetle øystein øyvind adisa abeba abebe abena abdoulaye abiodun
abiola abimbola abosede adebayo adebola adedayo adegoke adekunle adeola adetola adewale adjoa afua akinwale akua amadi
amadou ayodeji ayodele ayomide azuka babajide babatunde bamidele bintou bolaji bolanle boubacar bukola chiamaka
chibuike chibuzor chidera chidiebere chiemeka chijioke chika chimamanda chinelo chinonso chinwe chioma chisom chizoba
chuka chukwudi chukwuemeka damilola djibril ebele ebenezer ebere ebuka efua ejike ekene ekow ekua emenike enitan
eniola fatou fatoumata femi folake folasade fola funke funmilayo gbenga ibironke idowu idrissa ifeanyi ikechukwu
ikenna ifunanya isatou jamiu jide kayode kehinde kelechi kenechukwu kobina kojo kolade kolawole kunle kwabena kwadwo
kwaku kwasi kwesi lamin lekan mamadou mariama nkechi nkiru nneka nnamdi nonso nwando obinna obioma odinaka ogechi
okechukwu okey olabisi oladele oladipo olajide olamide olanrewaju olatunde olayinka olufemi olufunke olumide olusegun
olusola oluwadamilola oluwatobi oluwatosin omolara omotola onyeka osagie oumar ousmane penda rotimi sekou segun seyi
shola simisola souleymane taiwo temitope temi titilayo tobechukwu tokunbo tolu tolulope tope uche uchenna ugochukwu
uzoma yacouba yemi yemisi yetunde yinka zainabu tendai tinashe tatenda tafadzwa farai rudo chipo themba thabo sipho
sibusiso nomvula nomsa lindiwe zanele bongani lerato kagiso wanjiku wambui njeri wangari kamau mwangi njoroge otieno
achieng atieno akinyi juma baraka zawadi neema mwajuma desta selamawit tesfaye tigist tsegaye tewodros yohannes yonas
yared haile hiwot mulugeta dawit bereket biniam filmon senait samrawit meron mebrahtu meseret tekle tesfalem mehari
almaz kidane freweini luwam merhawi aarav aarti abhay abhijeet abhinav adarsh aditi aditya ajay ajit akash akhil
akhila akshay akshata alok alpesh aman amandeep amarjit ambika amit amita amol amrit amrita anand ananya anirudh
aniruddha anish anisha anjana anju anjum ankit ankita ankur ankush anoop anshul anuj anupam anupama anurag anuradha
anusha anushka archana arnav aruna arvind ashish ashok ashwin ashwini atul avinash ayush babita balaji balwinder
bharat bharati bharti bhaskar bhavana bhavesh bhavin bhavna bhupinder bikash bimal binod bindu bina birendra chandan
chandra chandrika charan chetan chirag chitra daljit darshan deepa deepika deepti devansh devendra devika dhananjay
dharmendra dhaval dhiraj dhruv dilip dipak dipali dipti divya durga dushyant ganesh gaurav gauri gautam gayathri
gayatri geeta geetha girish gopal govind gurdeep gurinder gurmeet gurpreet gurvinder harbhajan harinder harish harjit
harpreet harsha harshad hemant hema himanshu hitesh inderjit indira indu ishan ishita jagdish jagdeep janaki jasbir
jasleen jaspreet jaswinder jatin jaya jayant jayanthi jayesh jignesh jitendra jyoti kailash kajal kalpana kalyan
kalyani kamala kamlesh kanchan kapil karan karthik kartik karuna kaushik kavya keerthi keshav ketan kiranjit kishore
komal krishna krishnan kritika kuldeep kunal kusum lakshmi lalit lalita lata laxman laxmi leela lokesh madan madhav
madhavi madhu madhuri mahendra mahesh malini mamta mandeep mangesh manish manisha manjit manju manjula manmohan manoj
mayank mayur medha meena meenakshi megha meghna milind mitali mohan mohini mohit monali mukesh mukta mukul murali
nalini namrata nandini narayan narendra naresh narinder naveen navjot navneet navin neelam neeta neetu neha nidhi
nilesh nimisha niraj niranjan nirav nirmal nirmala nishant nitesh nitin nitya padma padmini pallavi pankaj paramjit
parag parth parul pooja poonam prabha prabhakar prabhat prachi pradeep pragya prajakta prakriti pramod pranav pranjal
prasad prasanna pratap prateek pratibha pratik pratima praveen pravin prem prema prerna preeti preethi priti pritam
priyanka punam puneet pushpa rachana radhika raghav raghu rajani rajat rajeev rajendra rajinder rajiv rajkumar rakesh
rakhi raksha ramakrishna raman ramya ranjan ranjana ranjit ranjith rashmi ratan ravindra ravinder rekha renu renuka
revathi richa rishabh rishi ritesh ritika ritu rohini roopa ruchi ruchika rupa rupali sadhana sagar samarth sampath
samrat sandhya sangeeta sangita sanjana sanjeev sanjiv sanket santosh sapna sarala saraswati sarika sashi satish
satnam satya saurabh savita seema shailesh shalini shankar shanthi shanti sharad shashank shashi shilpa shital shivam
shobha shraddha shreyas shruti shubham shweta siddharth simran smita smriti sneha sohan sonal sonali sonam sourav
sridevi sridhar srikanth srinivas subhash subodh sudha sudhir sudipta sujata sujatha sukhdev sukhjit sukhwinder suman
sumit sumitra sundar sunil surbhi surekha surendra surinder surjit suruchi suryakant sushant sushil sushila sushma
swapna swapnil swati tanmay tanvi tejas trupti tushar uday umesh urmila urvashi usha utkarsh vaibhav vaishali vandana
varsha varun vasant vasudha vasudev veena venkat venkatesh vibha vidya vijay vijaya vikas vikash vikrant vimal vinay
vineet vinita vinod vipin virendra vishal yamini yash yashpal yogesh yogita bishnu bhim dhan gyanendra kabita nabin
pemba prabin purna rabin rabindra rupak sabita samjhana sandip saroj sarmila shyam sujan suraj tenzin tshering yubaraj
abdur abida adeela afreen afshan afzal aftab ahsan ajmal akbar akhtar aleem amjad aneela anila arifa arshad asif asmat
ayaz azam babar bilquis danish ehsan faheem fahim faizan farhana farida farooq farzana fayyaz ghazala ghulam habibur
hafeez hafiz hammad haroon hasina hina humaira humayun iftikhar ijaz inayat irum ishaq ishtiaq jahangir jamshed javaid
javed junaid kaleem kamran kashif kausar khurram mahbub maheen mahmuda mansoor maqsood masood mehreen mizanur mubashir
mudassar muneeb mushtaq naeem naheed naila nargis nawaz nazia nazma nighat noman nosheen omair parveen parvin rafique
rahila raheela raza razia rehan rehana rizwan rizwana rukhsana sadaf sajid sajjad saqib sarfraz shabir shafiq shagufta
shahbaz shaheen shahida shahzad shaista shakeel shamim shamima shams sharmin shazia sheraz shoaib sobia sohail sumaira
tabassum tahira talha tanveer tanvir tasleem tasneem tauseef tayyab usman uzma waheed wajid waqar waqas zafar zahid
zahida zeeshan zubair zulfiqar amila anura asanka ashan buddhika chamara chaminda chamika chathura damith dilani
dilshan dinuka gayan hasitha indika isuru janaka kamani kasun lakmal lasantha lasith mahinda malith nadeeka nalaka
nilanthi niluka nimal nimali nishantha nuwan pradeepa prasanga ruwan sajith samanthi sanath sanjeewa sarath sunethra
sugath thilina thushara udara upul wasantha thilini kumari thirunavukkarasu selvan tharshan tharshini chau cuong diep
duong giang hanh hieu hoang hong huong huyen khanh khoa kieu lien manh ngan nghia ngoc nguyet nhan nhung oanh phong
phuong phuoc quang quan quoc quynh sinh thao thang thien thinh thuan thuy toan trang trinh trung truc tuan tuyen tuyet
uyen viet vinh vuong xuan anong apinya apichart arthit busaba chaiwat chanida chanthira chatchai duangjai jintana
kanya kanok kamonwan kannika kasem lamai lamyai malee manee mayuree naruemon narong nattaporn natthapong nattaya nong
oraphan panida pannee patcharee phailin piyada pornthip prasert preecha ratana rattana saengdao sakchai sirikit
siriporn somchai somjai somkiat sompong somsak sopha suchart sukanya sumalee supaporn suparat supatra suphaphon
surachai suwannee thanawat thongchai wanida wanpen waraporn wichai wilai yupin yuphin yuwadee analyn annalyn arlyn
arnel bayani bernardita bongbong charito cherrylyn cristeta divina edgardo efren emelita erlinda estrelita ferdie
flordeliza gemalyn gerlie jaypee jennylyn jerico jeric jhon joselito jovelyn junjun lalaine leonila leovigilda liezl
ligaya liwayway luningning luzviminda marilou maricar maricris maridel marites marivic merlinda narciso nenita nimfa
perlita precy reynaldo rhodora rizalina rizza rodel rommel ronalyn teresita wilfredo zenaida bingbing chunhua chunyan
dandan feifei fengying guoqiang guiying haiyan haoran haoyu hongmei hongwei huimin jiahao jiajia jianguo jianhua
jianjun jianming jianping jing jingjing jingyi jinlong jinping junjie lanying lijuan liling limei lingling liping
liqin lihua meiling meihua meiyan mengyao mengqi minghui mingming peng qiang qianqian qing qingqing ruixin shan
shanshan shaohua shufen shuying shuang siyu tingting weidong weimin weiwei wenbin wenhao wenjie wenjing wenjun xiang
xiao xiaobo xiaodong xiaofeng xiaohong xiaohua xiaojun xiaoli xiaoling xiaomei xiaoming xiaoyan xiaoyu xinyi xinyu
xiuying xiulan xueying xuemei yanan yanhong yanjun yanling yanyan yichen yifan yijun ying yingying yiran yong yongjun
yuanyuan yuchen yufei yuhan yulan yuting yuxin yuxuan zhen zhenhua zheng zhengyu zhihua zhiqiang zhiwei zhiyong zihan
zixuan ziyi haruka haruki akiko akira ayaka ayumi chiyo daisuke etsuko fumiko hanako hideki hideo hikaru hiroko hiromi
hiroshi hiroyuki junko kazuko kazuki kazuo keiko keisuke kenichi kenji kenta kiyoshi koji kumiko kyoko makoto masako
masahiro masaru megumi michiko midori mikiko minako misaki mitsuko miyuki momoko nanami naoki naoko natsuki noriko
ryota ryuichi sachiko satoko satoshi sayaka setsuko shigeru shinichi shinji shizuka shota sumiko tadashi takashi
takeshi takumi tatsuya tetsuya tomoko tomomi toshiko tsuyoshi yasuko yoshiko yosuke yuka yukari yukiko yuko yumi
yumiko yuriko yuta yuto minjun jihoon jiwoo seoyeon hyunwoo minji jisoo eunji jiyoung sunghee youngsoo sooyoung minseo
hyejin jinwoo agrin ahang arash ardalan aresh arezoo arezou asal asghar atefeh avan azad azadeh azar azin baran barham
barzan bahram babak bahareh bahman bashdar behnam behnaz behrouz behzad bejan bijan berivan bestun beritan botan chia
chiman chnar chra daryoush davood delan delnaz delshad dilovan dilshad diyar ebrahim elaheh elham elnaz esmaeil
fahimeh faranak faraz farhad fariba fariborz farideh farnaz farrokh farshad farzad farzaneh fatemeh fereshteh
fereydoon firouzeh forough gelareh ghazaleh ghodsi gholam gohar golnar golnaz goli golshan haleh hamideh haniyeh hawar
hawraz hemin hengameh hesam hessam hiwa homayoun hooman hoshang houshang hossein houman iraj jaleh jamshid javad jila
jiyan kambiz karzan karwan kasra katayoun kaveh kawa kazem keyvan khosrow kiarash kianoush kobra kourosh kurdo laleh
lavin leyli lezan mahboubeh mahdis mahin mahnaz mahsa mahshid mahtab mahvash maliheh mandana mani mansoureh manijeh
manouchehr mariwan marzieh masoud masoumeh mehrdad mehran mehrnaz mehrnoosh mehrzad melika milad minoo mitra mojdeh
mojgan mojtaba monireh morteza mozhgan naghmeh nahid narges narjes nazanin neda negar negin niloofar niloufar nima
nioosha niyaz nooshin omid parastoo pardis parham parisa parvaneh parviz payam pegah peyman pooya pouya pouria ramin
ramtin rawaz reben rebaz rebin reihaneh rezan rezgar roghayeh rojda rojin ronahi ronak rostam rouzbeh roya rozhan
rozhin rubar rudabeh saeideh sahand samaneh sanaz sangar sarbast sardar sarkawt sarwar sasan sattar sedigheh sepehr
sepideh setareh shabnam shahab shahin shahla shahnaz shahram shahriar shahrokh shahrzad shahrouz shayan shaho shapour
sheida shermin shervin shilan shima shirko shirwan shohreh shokoufeh siamak siavash simin siran sirwan soheil soheila
sohrab solmaz somayeh soran soroush sousan taban tahereh taraneh touraj vahid yalda yaghoub yeganeh zana zaniar zari
zeynab zhila zhiar zhina zhino ziba zohreh aziza abdulrahim amanullah aqila asadullah azizullah esmatullah ezatullah
farishta freshta gulalai habibullah hamidullah hashmatullah homaira inayatullah khatera khalida malalai mirwais
najibullah nasrullah nazifa nooria nilofar parwana rahmatullah rohullah samiullah shafiqa spozhmai tamana wali
zabihullah zarghuna zarmina admir agim agron ajla albana albulena almir amela andjela anđela anđelko anela anesa
antonija ardian ardit arben arbnor artan arijana arjeta armend arsim asmir avni bahrija bajram bashkim behar bekim
besa besart besim besnik biljana blagoje blerim blerina blerta boban borka boško božica božidar branimir branislav
branka branko burim ceca dajana dalibor danijel danijela darija darinka darko davorka dejana denijal dijana dinko
divna dragica dragomir dragoslav draženka dražen drita driton dubravka dušan dušanka dženan dženita edin edona egzon
elvedin elvir emir enisa ermin esad faton fatmir fisnik flamur florim florije gazmend genc gjergj gjon goranka gordana
gorica gzim hajrudin hamdija haris hatidže hrvoje iliriana ilir ilirjana ismet izet jadranka jasenka jasminka jasna
jeton josip josipa jovanka jugoslav jurica kadrija klaudija kosovare krešimir kristijan kujtim labinot ladislav
lendita leotrim lepa leutrim ljiljana ljubica ljubomir ljupka lirim lirije liridon liridona lulzim luljeta lumturije
majlinda maida marijo marinko mateja matej mato mehmed mensur mersad mersiha mevlida mihajlo mijo milanka milijana
milivoje milkica milorad milutin miljana mimoza minela miodrag miralem mirsad mirsada momčilo muamer muharem munevera
nebojša nedeljko nedžad nemanja nermina nevena nijaz nikša ninoslav novak nusreta obrad ognjen olivera pavle perica
petar predrag qendrim radica radmila radojka radoslav radovan ramadan rasim ratko rešad rexhep rifet ružica sabahudin
sabit sabrija safet sakib sanela sanel sanjin sead seada selver selvir semir semira senad senada senka shpend shpresa
shqipe shefqet siniša skender slađana slavica slavko slavoljub slavomir slaviša slobodanka smiljana snežana srđan
sretko stanko stevo stjepan stojan stojanka suada sulejman suljo suvada svetislav teuta tihana tihomir tijana tomica
uroš valbona valdete valmira valon vasilije veljko verica vesela veselin veselka vildana višnja vjekoslav vjollca
vladan vlado vlatka vlatko vojislav xhevdet ylber zdravka zdravko zijad zlatan zlatica zlatko zlatka zorica zorka
zumra zvonimir zvonko željka žarko živko asen atanas bilyana bisera blagovest boyan boyka boryana borislava dimitar
dimitrina desislava donka elitsa emiliya gancho gergana hristina hristo ivaylo iskra iliyana kalin kaloyan krasimir
krasimira krum kiril lyubka lachezar mariyana momchil nedyalka nedyalko nikolinka ognyan pencho penka plamen plamena
radka radostina radoslava rositsa rumen rumyana silviya stanimir stilyan stoyan stoyanka svetlin svetoslav todor
todorka tsvetan tsvetana tsvetelina tsvetomir vasil vasilka velichko ventsislav veselina yanka yavor yoana yordan
yordanka zhivka zhivko alžběta blažena bohumil bohumila bohuslav bořivoj břetislav čestmír danuše dita drahomíra
drahoslava dušana eliška evžen františek hynek jarmila jaroslava jindřich jindřiška jiřina jitka juraj kristýna
kryštof květa květoslava ladislava leoš libuše lubor luboš luděk lumír markéta miloslav miloslava miluše oldřich
otakar pavla přemysl radim růžena šárka soňa štěpánka svatopluk taťána vendula viktorie vilém vítězslav vladimíra
vladěna vlasta vlastimil vlastislav vojtěch vratislav zbyněk zdislava alojz anežka branislava drahomír gejza gizela
matúš pavol rastislav slávka vavrinec alenka aljaž alojzija anže blaž boštjan franc franci gašper gorazd jaka janez
jernej jerneja jože jožica jure klemen lojze matevž matija matjaž metka miha mojca nejc nuša polona primož sašo stane
stanka tadej tilen tjaša tomaž urša urška vinko žiga aikaterini alexandros alexios anastasios antonis apostolos areti
argyro aristea aristotelis athanasios athanasia athina charalampos christos chrysa chrysoula despina dimitra dimitrios
dimitris dionysis dionysios efstathios efthymia eftychia eirini eleftheria eleftherios emmanouil evangelia evangelos
fotini fotis frosso georgios giannis giorgos grigoris ilias ioannis iordanis kalliopi konstantinos kostas kyriaki
kyriakos lambros lefteris magdalini makis manolis marios markos michalis nektaria nektarios nikolaos nikoleta
panagiota panagiotis pantelis paraskevi pavlos petros polyxeni sotiria sotiris spyridon spyros stamatis stavroula
stavros stelios thanasis theodoros theofanis vangelis vasiliki vasilis vasileios yiannis yiorgos anahit arayik arev
arevik armine armenak arpine artak ashot astghik avetik garegin gevorg grigor hakob hamlet hasmik hayk hovhannes
hrachya hripsime khachatur lilit lusine mher mkrtich narek naira nune ruzanna samvel sargis satenik shushanik suren
tatevik tigran vardan varduhi vazgen zaruhi akaki aleko avtandil badri beka bidzina ekaterine elene gocha guram jaba
kakha keti ketevan khatia khatuna koba lasha levan mamuka manana malkhaz merab mikheil mzia nanuli natela natia nestan
nikoloz nodar nugzar nunu otar paata rezo rusudan shalva sopho sopiko tamaz tamta temur tengiz teona tinatin vakhtang
zaal zaza zurab aigul aizhan almas asel askar aybek bakhtiyar bekzat bolat botir dilnoza dilshod erlan farrukh feruza
gulmira gulnora guzal islom jasur kamola muhabbat nargiza nodira nursultan oybek otabek sanjar serik shakhzod shavkat
sherzod sitora timurlan ulugbek umida yerlan zhanar ilkin elchin elnur vugar aytan gunel nigar rashad rovshan tural
sevinj fidan aysu orkhan anar elshan huseyn ilgar javid konul lala murad nazrin nijat orxan rufat togrul ulviyya
vusala zaur
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
brídín aedan aeveen aibhe aibhín aibhlinn ailín ailís áine ainle aideen alannah anlon annraoi aoibhe aoibheann aoibhín
aoibhinn aodh aodán aodhán aodhagán aonghus ardal áinín barra barrfhionn bébhinn béibhinn bearach beircheart bercán
berchán blaithin blanaid bláinid breandán breanainn breda breege brege breff brenainn brianán bríghid bríde caireann
cáitín cairenn cairbre caolán caoilfhionn caoilainn caoilte caola cara caragh cathaír cathaoir catháin catherina
cathán cathbharr cein ceallach ceallachán cian cianán ciannait cinnéide cionnaith clíodhna cliona cobhlaith coilín
coireall colmán colmcille colum comán comgall comhghall conaire conchobhar connla connaire connell conleth corbmac
cormack criostóir cristín cróna cróchán crónán cuán cuimín daibheid daire dáirine dara darach daragh darerca davin
davnet deaglán dearbhla dearbhail deasún decla derbhla derval dervilla dervil diarmaid diarmait diolún doireann doirin
domhnall domhnaill donagh donlon donnchadha donough doona dorean dubhaltach dubhán dubhlaing dúnla éanna éadaoin
éadbhard eachann eamhair eamonn earnán easnadh éibhear eibhleann eibhlín eileanóir eimhear eimhir eimhín eireann
eirinn eistir eithna éinín eoan eoinín eirnín erinn étaín ethna evlin evleen faolán fearghal feargal fearghus feidhelm
feidhlim feidhlimidh feilim felim felimy fergna fiach fiachna fiadh fianait finan finbarr findabair finian finín
fineen finnbarr finnén fintan fionnán fionnbharr fionnghuala fionntán fionán fionnlagh flaithrí flannan fodhla fraoch
francie galvin garbhán garvan garret gearóidín gearalt gerardine gilligan gobnait gobnet gormlaith greagóir gráinséar
iarfhlaith íosac iollan ionatán íomhar íosagán iseult jarlath joannie keara keela keelin keelan kerill labhaoise
labhrás laoghaire laoire laoise laoiseach lasair lassarina lassairíona laurentia leachlainn lelia líadáin liadan liadh
liamhain lile loman lochlann lochlainn lochlan lonan lughaidh luíseach macdara mainchín maeleachlainn maghnus maille
mainín máirín máirtín maidhc maitiú malachaí mánus maoilíosa maolíosa maolíse maonach maolra marcas máthúna mathúin
méabh méabha meibh meara meidhbhín merna mícheáilín miach moire móirín moyna moninne muadhnait mughain muirenn muiríoc
muirgheal muirín muirne muirchertach murchadh murrough muirgen naoise naomh naomhán neasa neassa nessa niallán niav
nioclás nóinín nóeleen oanez odharnait odran oileabhéar ohran oilibhéar onóra orna órnait osgar osheen owney pacelli
packy pádhraic padraigín páidín párthalán paraic pauraic paudge paraig peadar peadair peigí peats peadaí phelan piaras
póilín proinnsias próinséas prionsias proinnséas radha raghnall raghnailt ráichéal raonait reamonn réamann réamon
riagán riann ríoghnach ríonach ríofach riordan risteard roarke roibeárd róis róise ronit ruadh ruadhri ruaidhrí ruaraí
ruarc rúán rúraí sadb sadhb sáerlaith saibh saorla saraid scoithín séadna séafra séamaisín seanán seánie seanna
séarlas séarlait seoirse seoirsín seosaimhín seosamh séamas shaneen sheamus shiela shíle sidhe síle síomón siadhal
síofra síoda siún siúracha siubhán sinéidín siomha síthmaith sive slaine slaney solamh sodhna somhairle sorley stiofán
suibhne tadg taidhgín taidhg talulla teague tarlach ternan thadeus tiarnach tiarnán tierna tigernán tighearnán
tigearnach toal toirdhealbhach toirealach tomáisín tomaltach torna tréanach triona tuala tuathal turlach turlough
uaine uaithne uallach uilliam uinseann ulick únaí vailintín vianney ailean ailbeart ailig àdhamh ailios aonghas artair
beathan beitiris beileag brìghde cailean ceit ceiteag ciorstaidh ciorstag coinneach còiseam cormag crìsdean daibhidh
deòiridh deònaid deòrsa diorbhail dolina donaidh dùghlas dùghall ealasaid eanraig eàirdsidh eubh eòghann eòsaph
fearchar fionnaghal fionnghal frang gilleasbuig gilchrist greum griogair griogal iagan iagain isbeil iseabail kenina
latharna leagsaidh liùsaidh lìosa marsaili màrtainn mata muireall niamhan oighrig raghnaid raibeart raonaid seaghdh
seasaidh senga sìne sìneag siùsan seoras stiùbhart tearlach torcuil tomag uisdean unag
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
adrianna aldona aleksy alojzy amadeusz anastazja andżelika apolonia apoloniusz arkadiusz arleta artemida balbina
beniamin bernadeta bernadetta bogdana bogna bogumił bogumiła bogusława bolesław borys bronisław bronisława brygida
brunon celestyna cecylia cyryl czesława dagmara dobrochna dobrosława eryk estera eugeniusz eustachy faustyna felicja
ferdynand filomena franciszka fryderyk genowefa gertruda gracjan gracjana gustaw gwidon henryka hieronim hipolit
honorata horacy ireneusz jagna jagoda jarogniew jacenty janka józefa józefina juliusz justyn kacper kasandra kazimiera
kleopatra konstancja konstanty kordian krystiana krystyn krzesimir ksawery kunegunda kajetana laurencja leokadia
lesław liwia longina lubomira lucjan lucjusz lucyna ludomir ludwik ludwika maksymilian marceli marzanna maurycy
michalina mieszko mieczysława miłosława mirosława narcyz narcyza natan nataniel natasza nikodem oktawia oktawian
olgierd oliwer oliwier otylia patrycjusz pelagia petronela przemko przemysława rachela radomir radosława remigiusz
roch roksana rozalia róża ryszarda salomea saturnin seweryn seweryna sergiusz sławomira sobiesław stanisława sylwester
sylwana szczepan szczęsny szarlota świętosław telimena teofil teofila tobiasz tomira tymon tymoteusz tymek uliana
wacława walenty walentyna waleria walerian walery wawrzyniec wespazjan wiesława wieńczysław wincenty wincentyna
wirginia wisława witalis witosław władysława wojciecha wojsław wielisław zbigniewa zdzisława zenobiusz zenona ziemowit
ziuta zofija żaneta żanna zygfryd bożydar dobromir dobromiła dezyderiusz gaja gniewomir gracja jeremi jeremiasz jonasz
kaspian klementyna klaudiusz kosma leonia maciejka makary matylda mikita milenia penelopa radzimir rajmund rufin
szymona tacjana tomisław tytus ulryk wiktorian witomir zachariasz zlata
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
abdülhamit adil adile afife akif akın akan alev alihan alperen altan altay arda arif armağan arzu asuman aslıhan asude
atakan atilla atıf ayberk ayça aycan aydan aydın ayfer aygül aygün aykut aylan aynur ayşegül ayşenur ayşin ayten aytaç
azize azra bahar bahadır bahri bahriye başak batuhan batu bedirhan bedri begüm behçet behiye belgin belma bengü bennu
beren bergüzar berfin berkay berkan beril berrak berrin beyza betül bilge bilgehan binnur birgül birol birsen buğra
buse buket burhan bünyamin büşra cahit canan candan canberk cansu cavit celal celil cemile cemre cengiz ceren cevat
cevdet ceyda ceyhan ceylan cihat cihangir coşkun çağatay çağla çağrı çetin çiğdem çınar damla demet demir derviş didem
dilan dilara dilşad doğan doğukan doğuş duru duygu durmuş ecem edip ekin elçin elvan emel emin emirhan emrullah enes
erdi erdinç erdoğan ersin ersan ersoy ertan ertuğrul ergin ergün esen esin eşref evren evrim eylem eylül eyüp ezgi
fadime fahri fahriye faruk ferda feride feridun ferit feyza feyzullah fevzi figen fikriye firdevs fuat funda füsun
galip gamze gazi gökçe gökay gökmen göksel gönül gülbahar gülcan gülden güler gülfem gülhan gülizar güllü gülnur
gülşah gülsüm gülten güneş günay güney gürhan gürkan güven güzin hacer hacı haldun halide halime halit haluk hamit
handan hanife harun haşim hasret havva haydar hayati hayrettin hayri hayriye hayrunnisa hazal hikmet hilal hilmi
hüsamettin hülya hümeyra hüsnü ılgın ırmak ihsan ikbal ilayda ilknur ilyas ilkay inci ipek irem irfan iskender ışıl
ışık izzet jale kaan kader kadriye kağan kamuran kasım kayhan kayra kazım kezban kıvanç kıymet köksal kürşat lale
lamia lütfi lütfiye mahir makbule mahsun mazhar mecit medine melih menderes meral mesut metehan mevlüt mihriban miray
mithat muammer muhammet muharrem muhittin muhsin mukaddes muazzez mücahit müge müjde müjgan münevver münir müslüm
müzeyyen naci naciye nagihan nail naim namık nalan nazmiye nazım nazife nebahat necla necmettin necmi nedim nermin
neslihan neşe nevzat nezih nezihe nihal nihan nihat nilay nilüfer niyazi numan nuran nurcan nurdan nurettin nurhan
nurşen nursel nurten oğuzhan oktay olcay onat onuralp orçun ozgür öznur özcan özden özer özkan ömür öykü pakize pelin
pembe perihan pervin polat raif rahmi rahime rahşan raziye remzi remziye reşat resul reyhan rıdvan rıfat rıza rukiye
rüya saadet sabahat sabahattin sabiha sadık sadullah safiye saffet sakine saliha samet saniye savaş saygın seçil sedat
sefa seher selami selda selman semih semiha sena senem serap serdal sercan serhan serhat serpil sertaç servet sevda
sevgül sevil sevilay sevinç seyfettin seyhan seyit sezai sezen sezer sezgin sıla sıtkı simge sinem songül soner sultan
suat sunay suna sude şaban şadiye şafak şahin şebnem şefik şenay şener şengül şenol şeref şerife şeyda şeyma şirin
şule şükran şükriye tahsin talat tamer tanju tanzer taner tansu tayfun tayyip teoman tevfik timuçin tülay tülin tufan
tuğçe tuğrul tunahan tuncer turan turgay turgut turhan türkan ülkü ülker ümmü ümran ünal ünsal vahap vahit vedat veysi
vildan yağmur yağız yaren yalçın yaman yaprak yener yıldırım yıldız yılmaz yonca yunus yücel yüksel zahide zekeriya
zekiye zeliha zerrin zeynel ziya zübeyde zuhal züleyha zülfiye zülal
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
abbas abbass abdelaziz abdelhak abdelhamid abdelilah abdelkarim abdellah abdelmajid abdelmalek abdelouahab abderrahim
abderrahman abdou abdulhadi abdulhakim abdulkarim abdullatif abdulmajid abdulsalam abdulwahab abeer abir abrar adeel
adel adham afaf afnan ahlem aicha aiman akeel alaa alaeddine aliya alyaa amani amar amel amer ameen ameer ameera
aminata ammar anas anan anass aoun areej arij arafat asaad aseel ashwaq asim asmaa atef awad awatef ayat ayda ayham
ayman aymen ayoub azhar azza azzam azzedine bachir badr baha bahaa bahija baraa bashar basheer basel bashir basim
bassam bassem batoul bayan belal bilel bouchra boutros brahim bushra chadi chaima chakib cherif dalal daoud daniah
deema dhia diaa djamel driss duaa eman ehab emad eslam esraa essam eyad ezzat fadel fadwa fahad fahd fahima fairouz
faiz faiza fakhri faraj farouk farouq fathi fathia fatiha fatimah fatin fawaz fawzi fayez fayrouz feras ferial
firdaous fouad fouzia fuad ghaith ghassan ghazal ghazi ghina hadeel hadi hadil hafid hafida haidar haider haifa hajar
hakim hala hamad hamada hamed hamoud hamoudi hanaa hanan hanane haneen hani hanin haroun hasna hassana hassiba hatem
haya hayat hazem hend hiam hicham hisham houda houria houssam husam hussam ibtisam ibtissam ihab ihsane ikhlas ilham
ilyass imad imane inas inaam insaf intisar iqbal israa issa issam iyad izdihar jaafar jaber jabir jalal jalila jameela
jannat jasim jassim jawad jawaher jehad jihad jihane jinan joud joumana julnar kadhim kamel karam karrar kawtar
kawthar kenza khadidja khaldoun khalifa khawla khodr kholoud lamees lamiaa lamya latif latifa lotfi loubna louay
lujain lulwa maher mahmood majd majdi majed majida makram malak manal mansour mansur maram mariem marouan marouane
marwan maryem marya marzouk maysa maysoon mayada miral mohanad mohannad mohsen moncef monir monira monther mouad
mounia mourad moussa muath mubaraka muhannad munira musa musab muslim mutaz muthanna nabeel nabila nadeem nader nadhir
nadim nadir nahla nahed naji najat najib najla najlaa najwa narjis naseem naser nasim nasima nasreen nasrin nassim
nawaf nawras nayef nazih nazik nesrine nezha nidal nihad nisreen nizar noha noura nouha nouhad nourhan noureddine nuha
nura oday omaima omayma ossama othmane oumaima oussama qasim qusai raad rabab rabia rabih rachid rachida radwan rafif
rafik raghad raghda rahaf raef rajaa ramia ramiz ramzi rana randa ranim rasmi rasoul rawan rawda rayane razan redouane
reem reham riad riham ritaj riyad riyadh roba rouba roula ruaa ruba rula ruqaya ruqayya saadia sabah sadek sadiya
saeeda safaa safwan sahar saif saja sajida sakina salah salaheddine saleem saleh salha salima salman salwa samah
sameer sameh sameera samer samiha samiya sarmad saud sawsan sayed sayeda shaban shahd shahed shahad shaima shaimaa
shakir sharifa shatha sherine shirine siraj soad sofian sofiane soha sohaib souad soufiane soukaina sukaina souhaila
suha suhad suhaib suhair suheil sulaiman sultana sumayya sundus taher taleb talal tala tamim tayeb thamer thuraya
turki ubaid umayma urwa wafa wafaa wael wahiba wajdi wajih warda wasan waseem wassim widad wided wiam wijdan wissal
wissam yahia yahya yahye yaqub yaseen yassine yassir yazan yazid younis younous youcef youssra yumna yunis zahir zahia
zaid zaida zakia zakaryia zakariya zeina zeyad zineb ziyad zohra zouhair zuhair zuleikha abdifatax abdighani abdihamid
abdijabar abdilahi abdinur abdiqani abdiqadir abdirahim abdisamad abdisamed abdishakur abdiwali abdiweli abdullaahi
abshir abukar adar amaal ambaro anab anfac asho ashwaaq awale ayanle aydarus bahjo bashiir barkhad barni barwaqo bilan
bishaaro biixi caasho cabdalle cabdulqaadir calas canab cawo ciise dahabo dahir daud daahir deeqo deqo dhuuxo dirie
dool dualeh ebla egal escado fahma faarax fadhumo faiso farax faria fartun fardowsa fardus filsan fosiya galad gedi
geedi guhad guleed gurey habibo hadiyo haboon hamda hamdiya hanad haweeyo hayaat hassanoor hinda hoodo husna ibado
ifrax ikraan ilhaan ilyaas iido igaal iqra isniino istahil istarlin jaamac jamac jawahir jibril jimcale kaafi kaltun
kaltuun keinan khadar khadro khalif kinsi ladan layluun liibaan libaan luul mahamud mako mursal maslax mulki mumin
muniira muuse muxiyadin nadifa najma nasteexo nastexo nimca nimcaan nuradin nuur nuuradiin omaar qamar qali quman
rahmo ridwan rooda roda ruqiyo ruun sabad sabriin sacdiyo sahal sahro samatar samsam samiira shamsa shugri shukria
sirad suado sucaad suheyb sulekha suldan suldaan ugaas ubah ugbad umalkheir weheliye xafsa xalima xamdi xamse xawa
yasmiin yurub zahro zamzam zuhur
";
