package stix

import "strings"

// Words of registries the standard binds values to. A registry grows; an entry
// missing here makes a warning where the standard says SHOULD and an error
// where it says MUST.

type words map[string]struct{}

func wordsOf(text string) words {
	fields := strings.Fields(text)
	w := make(words, len(fields))
	for _, f := range fields {
		w[f] = struct{}{}
	}
	return w
}

func (w words) has(s string) bool { _, ok := w[s]; return ok }

// languages are the primary language subtags taken: the codes of ISO 639-1 and
// of ISO 639-2 (both its bibliographic and its terminological ones), and the
// Chinese languages that RFC 5646 section 2.2.2 lets stand without "zh".
// RFC 5646 also draws on ISO 639-3, of which nearly every word of three
// letters is a code; taking it whole would take nearly every slip of the pen.
var languages = wordsOf(`
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el
en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu
ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na
nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so
sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
aar abk ace ach ada ady afa afh afr ain aka akk alb ale alg alt amh ang anp apa ara arc arg arm arn arp art
arw asm ast ath aus ava ave awa aym aze bad bai bak bal bam ban baq bas bat bej bel bem ben ber bho bih bik
bin bis bla bnt bod bos bra bre btk bua bug bul bur byn cad cai car cat cau ceb cel ces cha chb che chg chi
chk chm chn cho chp chr chu chv chy cmc cnr cop cor cos cpe cpf cpp cre crh crp csb cus cym cze dak dan dar
day del den deu dgr din div doi dra dsb dua dum dut dyu dzo efi egy eka ell elx eng enm epo est eus ewe ewo
fan fao fas fat fij fil fin fiu fon fra fre frm fro frr frs fry ful fur gaa gay gba gem geo ger gez gil gla
gle glg glv gmh goh gon gor got grb grc gre grn gsw guj gwi hai hat hau haw heb her hil him hin hit hmn hmo
hrv hsb hun hup hye iba ibo ice ido iii ijo iku ile ilo ina inc ind ine inh ipk ira iro isl ita jav jbo jpn
jpr jrb kaa kab kac kal kam kan kar kas kat kau kaw kaz kbd kha khi khm kho kik kin kir kmb kok kom kon kor
kos kpe krc krl kro kru kua kum kur kut lad lah lam lao lat lav lez lim lin lit lol loz ltz lua lub lug lui
lun luo lus mac mad mag mah mai mak mal man mao map mar mas may mdf mdr men mga mic min mis mkd mkh mlg mlt
mnc mni mno moh mon mos mri msa mul mun mus mwl mwr mya myn myv nah nai nap nau nav nbl nde ndo nds nep new
nia nic niu nld nno nob nog non nor nqo nso nub nwc nya nym nyn nyo nzi oci oji ori orm osa oss ota oto paa
pag pal pam pan pap pau peo per phi phn pli pol pon por pra pro pus que raj rap rar roa roh rom ron rum run
rup rus sad sag sah sai sal sam san sas sat scn sco sel sem sga sgn shn sid sin sio sit sla slk slo slv sma
sme smi smj smn smo sms sna snd snk sog som son sot spa sqi srd srn srp srr ssa ssw suk sun sus sux swa swe
syc syr tah tai tam tat tel tem ter tet tgk tgl tha tib tig tir tiv tkl tlh tli tmh tog ton tpi tsi tsn tso
tuk tum tup tur tut tvl twi tyv udm uga uig ukr umb und urd uzb vai ven vie vol vot wak wal war was wel wen
wln wol xal xho yao yap yid yor ypk zap zbl zen zgh zha zho znd zul zun zxx zza
cmn hak nan wuu yue`)

// countries are the ISO 3166-1 alpha-2 codes.
var countries = wordsOf(`
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`)

// charsets are the names, preferred MIME names and aliases of the IANA
// character sets registry, in lower case.
var charsets = wordsOf(`
437 850 851 852 855 857 860 861 862 863 865 866 869 904 \riso-8859-6-eiso_8859-6-e \riso-8859-6-iiso_8859-6-i
\riso-8859-8-eiso_8859-8-e \riso-8859-8-iiso_8859-8-i \viso-8859-1iso_8859-1:1987 \viso-8859-2iso_8859-2:1987
\viso-8859-3iso_8859-3:1988 \viso-8859-4iso_8859-4:1988 \viso-8859-5iso_8859-5:1988
\viso-8859-6iso_8859-6:1987 \viso-8859-7iso_8859-7:1987 \viso-8859-8iso_8859-8:1988
\viso-8859-9iso_8859-9:1989 \x07euc-jpextended_unix_code_packed_format_for_japanese adobe-standard-encoding
adobe-symbol-encoding adobestandardencoding ami-1251 ami1251 amiga-1251 amiga1251 amiga1251\n(aliases
ansi_x3.110-1983 ansi_x3.4-1968 ansi_x3.4-1986 arabic arabic7 ascii asmo-708 asmo_449 big5 big5-hkscs
big5hkscs bocu-1 brf bs_4730 bs_viewdata ca ccsid00858 ccsid00924 ccsid01140 ccsid01141 ccsid01142 ccsid01143
ccsid01144 ccsid01145 ccsid01146 ccsid01147 ccsid01148 ccsid01149 cesu-8 chinese cn cp-ar cp-gr cp-is cp00858
cp00924 cp01140 cp01141 cp01142 cp01143 cp01144 cp01145 cp01146 cp01147 cp01148 cp01149 cp037 cp038 cp1026
cp154 cp273 cp274 cp275 cp278 cp280 cp281 cp284 cp285 cp290 cp297 cp367 cp420 cp423 cp424 cp437 cp500 cp50220
cp51932 cp775 cp819 cp850 cp851 cp852 cp855 cp857 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp868 cp869 cp870
cp871 cp880 cp891 cp903 cp904 cp905 cp918 cp936 csa7-1 csa7-2 csa71 csa72 csa_t500-1983 csa_z243.4-1985-1
csa_z243.4-1985-2 csa_z243.4-1985-gr csadobestandardencoding csamiga1251\n(aliases csascii csbig5 csbig5hkscs
csbocu-1 csbocu1 csbrf cscesu-8 cscesu8 cscp50220 cscp51932 csdecmcs csdkus csebcdicatdea csebcdiccafr
csebcdicdkno csebcdicdknoa csebcdices csebcdicesa csebcdicess csebcdicfise csebcdicfisea csebcdicfr csebcdicit
csebcdicpt csebcdicuk csebcdicus cseucfixwidjapanese cseuckr cseucpkdfmtjapanese csgb18030 csgb2312 csgbk
cshalfwidthkatakana cshpdesktop cshplegal cshpmath8 cshppifont cshppsmath cshproman8 csibbm904 csibm00858
csibm00924 csibm01140 csibm01141 csibm01142 csibm01143 csibm01144 csibm01145 csibm01146 csibm01147 csibm01148
csibm01149 csibm037 csibm038 csibm1026 csibm1047 csibm273 csibm274 csibm275 csibm277 csibm278 csibm280
csibm281 csibm284 csibm285 csibm290 csibm297 csibm420 csibm423 csibm424 csibm500 csibm851 csibm855 csibm857
csibm860 csibm861 csibm863 csibm864 csibm865 csibm866 csibm868 csibm869 csibm870 csibm871 csibm880 csibm891
csibm903 csibm905 csibm918 csibmebcdicatde csibmsymbols csibmthai csinvariant csiso102t617bit csiso10367box
csiso103t618bit csiso10646utf1 csiso10swedish csiso111ecmacyrillic csiso115481 csiso11swedishfornames
csiso121canadian1 csiso122canadian2 csiso123csaz24341985gr csiso128t101g2 csiso139csn369103 csiso13jisc6220jp
csiso141jusib1002 csiso143iecp271 csiso146serbian csiso147macedonian csiso14jisc6220ro csiso150
csiso150greekccitt csiso151cuba csiso153gost1976874 csiso158lap csiso159jisx02121990 csiso15italian
csiso16portuguese csiso17spanish csiso18greek7old csiso19latingreek csiso2022cn csiso2022cnext csiso2022jp
csiso2022jp2 csiso2022kr csiso2033 csiso21german csiso25french csiso27latingreek1 csiso2intlrefversion
csiso42jisc62261978 csiso47bsviewdata csiso49inis csiso4unitedkingdom csiso50inis8 csiso51iniscyrillic
csiso54271981 csiso5427cyrillic csiso5428greek csiso57gb1988 csiso58gb231280 csiso60danishnorwegian
csiso60norwegian1 csiso61norwegian2 csiso646basic1983 csiso646danish csiso6937add csiso69french
csiso70videotexsupp1 csiso84portuguese2 csiso85spanish2 csiso86hungarian csiso87jisx0208 csiso885913
csiso885914 csiso885915 csiso885916 csiso88596e csiso88596i csiso88598e csiso88598i csiso8859supp
csiso88greek7 csiso89asmo449 csiso90 csiso91jisc62291984a csiso92jisc62991984b csiso93jis62291984badd
csiso94jis62291984hand csiso95jis62291984handadd csiso96jisc62291984kana csiso99naplps csisolatin1 csisolatin2
csisolatin3 csisolatin4 csisolatin5 csisolatin6 csisolatinarabic csisolatincyrillic csisolatingreek
csisolatinhebrew csisotextcomm csjisencoding cskoi7switched cskoi8r cskoi8u csksc56011987 csksc5636 cskz1048
csmacintosh csmicrosoftpublishing csmnem csmnemonic csn_369103 csnatsdano csnatsdanoadd csnatssefi
csnatssefiadd csosdebcdicdf03irv csosdebcdicdf041 csosdebcdicdf0415 cspc775baltic cspc850multilingual
cspc862latinhebrew cspc8codepage437 cspc8danishnorwegian cspc8turkish cspcp852 csptcp154 csscsu csshiftjis
cstis620 cstscii csucs4 csunicode csunicode11 csunicode11utf7 csunicodeascii csunicodeibm1261 csunicodeibm1264
csunicodeibm1265 csunicodeibm1268 csunicodeibm1276 csunicodejapanese csunicodelatin1 csunknown8bit csusdk
csutf16 csutf16be csutf16le csutf32 csutf32be csutf32le csutf7 csutf7imap csutf8 csventurainternational
csventuramath csventuraus csviqr csviscii cswindows1250 cswindows1251 cswindows1252 cswindows1253
cswindows1254 cswindows1255 cswindows1256 cswindows1257 cswindows1258 cswindows30latin1 cswindows31j
cswindows31latin1 cswindows31latin2 cswindows31latin5 cswindows874 cuba cyrillic cyrillic-asian de dec dec-mcs
decmcs din_66003 dk dk-us dkus ds2089 ds_2089 e13b ebcdic-at-de ebcdic-at-de-a ebcdic-be ebcdic-br
ebcdic-ca-fr ebcdic-cp-ar1 ebcdic-cp-ar2 ebcdic-cp-be ebcdic-cp-ca ebcdic-cp-ch ebcdic-cp-dk ebcdic-cp-es
ebcdic-cp-fi ebcdic-cp-fr ebcdic-cp-gb ebcdic-cp-gr ebcdic-cp-he ebcdic-cp-is ebcdic-cp-it ebcdic-cp-nl
ebcdic-cp-no ebcdic-cp-roece ebcdic-cp-se ebcdic-cp-tr ebcdic-cp-us ebcdic-cp-wt ebcdic-cp-yu ebcdic-cyrillic
ebcdic-de-273+euro ebcdic-dk-277+euro ebcdic-dk-no ebcdic-dk-no-a ebcdic-es ebcdic-es-284+euro ebcdic-es-a
ebcdic-es-s ebcdic-fi-278+euro ebcdic-fi-se ebcdic-fi-se-a ebcdic-fr ebcdic-fr-297+euro ebcdic-gb-285+euro
ebcdic-int ebcdic-international-500+euro ebcdic-is-871+euro ebcdic-it ebcdic-it-280+euro ebcdic-jp-e
ebcdic-jp-kana ebcdic-latin9--euro ebcdic-no-277+euro ebcdic-pt ebcdic-se-278+euro ebcdic-uk ebcdic-us
ebcdic-us-37+euro ebcdicatdea ebcdiccafr ebcdicdkno ebcdicdknoa ebcdices ebcdicesa ebcdicess ebcdicfise
ebcdicfisea ebcdicfr ebcdicit ebcdicpt ebcdicuk ebcdicus ecma-114 ecma-118 ecma-cyrillic elot_928 es es2
euc-jp euc-kr eucfixwidjapanese euckr eucpkdfmtjapanese extended_unix_code_fixed_width_for_japanese
extended_unix_code_packed_format_for_japanese fi fr gb gb18030 gb2312 gb_1988-80 gb_2312-80 gbk gost_19768-74
greek greek-ccitt greek7 greek7-old greek8 halfwidthkatakana hebrew hp-desktop hp-legal hp-math8 hp-pi-font
hp-roman8 hpdesktop hplegal hpmath8 hppifont hppsmath hproman8 hu hz-gb-2312 ibbm904 ibm-1047 ibm-symbols
ibm-thai ibm00858 ibm00924 ibm01140 ibm01141 ibm01142 ibm01143 ibm01144 ibm01145 ibm01146 ibm01147 ibm01148
ibm01149 ibm037 ibm038 ibm1026 ibm1047 ibm273 ibm274 ibm275 ibm277 ibm278 ibm280 ibm281 ibm284 ibm285 ibm290
ibm297 ibm367 ibm420 ibm423 ibm424 ibm437 ibm500 ibm775 ibm819 ibm850 ibm851 ibm852 ibm855 ibm857 ibm860
ibm861 ibm862 ibm863 ibm864 ibm865 ibm866 ibm868 ibm869 ibm870 ibm871 ibm880 ibm891 ibm903 ibm904 ibm905
ibm918 ibmebcdicatde ibmsymbols ibmthai iec_p27-1 inis inis-8 inis-cyrillic invariant irv iso-10646
iso-10646-j-1 iso-10646-ucs-2 iso-10646-ucs-4 iso-10646-ucs-basic iso-10646-unicode-latin1 iso-10646-utf-1
iso-11548-1 iso-2022-cn iso-2022-cn-ext iso-2022-jp iso-2022-jp-2 iso-2022-kr iso-8859-1
iso-8859-1-windows-3.0-latin-1 iso-8859-1-windows-3.1-latin-1 iso-8859-10 iso-8859-11 iso-8859-13 iso-8859-14
iso-8859-15 iso-8859-16 iso-8859-2 iso-8859-2-windows-latin-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6
iso-8859-6-e iso-8859-6-i iso-8859-7 iso-8859-8 iso-8859-8-e iso-8859-8-i iso-8859-9
iso-8859-9-windows-latin-5 iso-celtic iso-ir-10 iso-ir-100 iso-ir-101 iso-ir-102 iso-ir-103 iso-ir-109
iso-ir-11 iso-ir-110 iso-ir-111 iso-ir-121 iso-ir-122 iso-ir-123 iso-ir-126 iso-ir-127 iso-ir-128 iso-ir-13
iso-ir-138 iso-ir-139 iso-ir-14 iso-ir-141 iso-ir-142 iso-ir-143 iso-ir-144 iso-ir-146 iso-ir-147 iso-ir-148
iso-ir-149 iso-ir-15 iso-ir-150 iso-ir-151 iso-ir-152 iso-ir-153 iso-ir-154 iso-ir-155 iso-ir-157 iso-ir-158
iso-ir-159 iso-ir-16 iso-ir-17 iso-ir-18 iso-ir-19 iso-ir-199 iso-ir-2 iso-ir-21 iso-ir-226 iso-ir-25
iso-ir-27 iso-ir-37 iso-ir-4 iso-ir-42 iso-ir-47 iso-ir-49 iso-ir-50 iso-ir-51 iso-ir-54 iso-ir-55 iso-ir-57
iso-ir-58 iso-ir-6 iso-ir-60 iso-ir-61 iso-ir-69 iso-ir-70 iso-ir-8-1 iso-ir-8-2 iso-ir-84 iso-ir-85 iso-ir-86
iso-ir-87 iso-ir-88 iso-ir-89 iso-ir-9-1 iso-ir-9-2 iso-ir-90 iso-ir-91 iso-ir-92 iso-ir-93 iso-ir-94
iso-ir-95 iso-ir-96 iso-ir-98 iso-ir-99 iso-unicode-ibm-1261 iso-unicode-ibm-1264 iso-unicode-ibm-1265
iso-unicode-ibm-1268 iso-unicode-ibm-1276 iso102t617bit iso10367box iso103t618bit iso10646utf1 iso10swedish
iso111ecmacyrillic iso115481 iso11swedishfornames iso121canadian1 iso122canadian2 iso123csaz24341985gr
iso128t101g2 iso139csn369103 iso13jisc6220jp iso141jusib1002 iso143iecp271 iso146serbian iso147macedonian
iso14jisc6220ro iso150greekccitt iso151cuba iso153gost1976874 iso158lap iso159jisx02121990 iso15italian
iso16portuguese iso17spanish iso18greek7old iso19latingreek iso2022cn iso2022cnext iso2022jp iso2022jp2
iso2022kr iso2033 iso21german iso25french iso27latingreek1 iso2intlrefversion iso42jisc62261978
iso47bsviewdata iso49inis iso4unitedkingdom iso50inis8 iso51iniscyrillic iso54271981 iso5427cyrillic
iso5427cyrillic1981 iso5428greek iso57gb1988 iso58gb231280 iso60norwegian1 iso61norwegian2 iso646-ca
iso646-ca2 iso646-cn iso646-cu iso646-de iso646-dk iso646-es iso646-es2 iso646-fi iso646-fr iso646-fr1
iso646-gb iso646-hu iso646-it iso646-jp iso646-jp-ocr-b iso646-kr iso646-no iso646-no2 iso646-pt iso646-pt2
iso646-se iso646-se2 iso646-us iso646-yu iso646basic1983 iso646danish iso6937add iso69french
iso70videotexsupp1 iso84portuguese2 iso85spanish2 iso86hungarian iso87jisx0208 iso885913 iso885914 iso885915
iso885916 iso88596e iso88596i iso88598e iso88598i iso8859supp iso88greek7 iso89asmo449 iso90
iso91jisc62291984a iso92jisc62991984b iso93jis62291984badd iso94jis62291984hand iso95jis62291984handadd
iso96jisc62291984kana iso99naplps iso_10367-box iso_11548-1 iso_2033-1983 iso_5427 iso_5427:1981 iso_5428:1980
iso_646.basic:1983 iso_646.irv:1983 iso_646.irv:1991 iso_6937-2-25 iso_6937-2-add iso_8859-1 iso_8859-10:1992
iso_8859-14 iso_8859-14:1998 iso_8859-15 iso_8859-16 iso_8859-16:2001 iso_8859-1:1987 iso_8859-2
iso_8859-2:1987 iso_8859-3 iso_8859-3:1988 iso_8859-4 iso_8859-4:1988 iso_8859-5 iso_8859-5:1988 iso_8859-6
iso_8859-6-e iso_8859-6-i iso_8859-6:1987 iso_8859-7 iso_8859-7:1987 iso_8859-8 iso_8859-8-e iso_8859-8-i
iso_8859-8:1988 iso_8859-9 iso_8859-9:1989 iso_8859-supp iso_9036 iso_tr_11548-1 isolatin1 isolatin2 isolatin3
isolatin4 isolatin5 isolatin6 isolatinarabic isolatincyrillic isolatingreek isolatinhebrew isotextcomm it
jis_c6220-1969 jis_c6220-1969-jp jis_c6220-1969-ro jis_c6226-1978 jis_c6226-1983 jis_c6229-1984-a
jis_c6229-1984-b jis_c6229-1984-b-add jis_c6229-1984-hand jis_c6229-1984-hand-add jis_c6229-1984-kana
jis_encoding jis_x0201 jis_x0208-1983 jis_x0212-1990 jisencoding jp jp-ocr-a jp-ocr-b jp-ocr-b-add jp-ocr-hand
jp-ocr-hand-add js jus_i.b1.002 jus_i.b1.003-mac jus_i.b1.003-serb katakana koi7-switched koi7switched koi8-e
koi8-r koi8-u koi8r koi8u korean ks_c_5601-1987 ks_c_5601-1989 ksc56011987 ksc5636 ksc_5601 kz-1048 kz1048 l1
l10 l2 l3 l4 l5 l6 l8 lap latin-9 latin-greek latin-greek-1 latin-lap latin1 latin1-2-5 latin10 latin2 latin3
latin4 latin5 latin6 latin8 mac macedonian macintosh microsoft-publishing microsoftpublishing mnem mnemonic
ms936 ms_kanji msz_7795.3 naplps nats-dano nats-dano-add nats-sefi nats-sefi-add natsdano natsdanoadd natssefi
natssefiadd nc_nc00-10:81 nf_z_62-010 nf_z_62-010_(1973) no no2 ns_4551-1 ns_4551-2 osd_ebcdic_df03_irv
osd_ebcdic_df04_1 osd_ebcdic_df04_15 osdebcdicdf03irv osdebcdicdf041 osdebcdicdf0415 pc-multilingual-850+euro
pc775baltic pc8-danish-norwegian pc8-turkish pc850multilingual pc862latinhebrew pc8codepage437
pc8danishnorwegian pc8turkish pcp852 pt pt154 pt2 ptcp154 r8 ref rk1048 roman8 scsu se se2 sen_850200_b
sen_850200_c serbian shift_jis shiftjis st_sev_358-88 strk1048-2002 t.101-g2 t.61 t.61-7bit t.61-8bit tis-620
tis620 tscii ucs4 uk unicode unicode-1-1 unicode-1-1-utf-7 unicode11 unicode11utf7 unicodeascii unicodeibm1261
unicodeibm1264 unicodeibm1265 unicodeibm1268 unicodeibm1276 unicodejapanese unicodelatin1 unknown-8bit
unknown8bit us us-ascii us-dk usdk utf-16 utf-16be utf-16le utf-32 utf-32be utf-32le utf-7 utf-7-imap utf-8
utf16 utf16be utf16le utf32 utf32be utf32le utf7 utf7imap utf8 ventura-international ventura-math ventura-us
venturainternational venturamath venturaus videotex-suppl viqr viscii windows-1250 windows-1251 windows-1252
windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 windows-31j windows-874
windows-936 windows1250 windows1251 windows1252 windows1253 windows1254 windows1255 windows1256 windows1257
windows1258 windows30latin1 windows31j windows31latin1 windows31latin2 windows31latin5 windows874 x0201
x0201-7 x0208 x0212 yu`)

// mediaTops are the top-level media types IANA has registered (RFC 6838
// section 4.2, RFC 8081, RFC 9695).
var mediaTops = wordsOf(`application audio example font haptics image message model multipart text video`)
