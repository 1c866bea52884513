package place

// countries lists ISO 3166-1: alpha-3, alpha-2, M49 number, short English
// name, then further spellings after "|". Source of the codes: ISO 3166-1 and
// UN M49 (standard country or area codes), as of 2024. Spellings are those
// met in BACI, Comtrade, USGS, World Bank and OECD files.
const countries = `
ABW AW 533 Aruba
AFG AF 4 Afghanistan
AGO AO 24 Angola
AIA AI 660 Anguilla
ALA AX 248 Aland Islands|Åland Islands
ALB AL 8 Albania
AND AD 20 Andorra
ARE AE 784 United Arab Emirates|UAE
ARG AR 32 Argentina
ARM AM 51 Armenia
ASM AS 16 American Samoa
ATA AQ 10 Antarctica
ATF TF 260 French Southern Territories|French South Antarctic Territories
ATG AG 28 Antigua and Barbuda
AUS AU 36 Australia
AUT AT 40 Austria
AZE AZ 31 Azerbaijan
BDI BI 108 Burundi
BEL BE 56 Belgium
BEN BJ 204 Benin
BES BQ 535 Bonaire, Sint Eustatius and Saba|Bonaire
BFA BF 854 Burkina Faso
BGD BD 50 Bangladesh
BGR BG 100 Bulgaria
BHR BH 48 Bahrain
BHS BS 44 Bahamas|Bahamas, The|The Bahamas
BIH BA 70 Bosnia and Herzegovina|Bosnia Herzegovina
BLM BL 652 Saint Barthélemy|Saint Barthelemy
BLR BY 112 Belarus
BLZ BZ 84 Belize
BMU BM 60 Bermuda
BOL BO 68 Bolivia|Bolivia (Plurinational State of)|Plurinational State of Bolivia
BRA BR 76 Brazil
BRB BB 52 Barbados
BRN BN 96 Brunei|Brunei Darussalam
BTN BT 64 Bhutan
BVT BV 74 Bouvet Island
BWA BW 72 Botswana
CAF CF 140 Central African Republic|Central African Rep.
CAN CA 124 Canada
CCK CC 166 Cocos (Keeling) Islands|Cocos Islands
CHE CH 756 Switzerland|Switzerland, Liechtenstein
CHL CL 152 Chile
CHN CN 156 China|China, mainland|Mainland China|People's Republic of China|China, People's Republic of
CIV CI 384 Côte d'Ivoire|Cote d'Ivoire|Ivory Coast
CMR CM 120 Cameroon
COD CD 180 Congo (Kinshasa)|Democratic Republic of the Congo|Dem. Rep. of the Congo|Congo, Democratic Republic|Congo, D.R.|Congo, Dem. Rep.|DR Congo|DRC|Congo (Democratic Republic of the)
COG CG 178 Congo|Congo (Brazzaville)|Republic of the Congo|Congo, Rep.
COK CK 184 Cook Islands
COL CO 170 Colombia
COM KM 174 Comoros
CPV CV 132 Cabo Verde|Cape Verde
CRI CR 188 Costa Rica
CUB CU 192 Cuba
CUW CW 531 Curaçao|Curacao
CXR CX 162 Christmas Island|Christmas Islands
CYM KY 136 Cayman Islands
CYP CY 196 Cyprus
CZE CZ 203 Czechia|Czech Republic
DEU DE 276 Germany
DJI DJ 262 Djibouti
DMA DM 212 Dominica
DNK DK 208 Denmark
DOM DO 214 Dominican Republic|Dominican Rep.
DZA DZ 12 Algeria
ECU EC 218 Ecuador
EGY EG 818 Egypt|Egypt, Arab Rep.
ERI ER 232 Eritrea
ESH EH 732 Western Sahara
ESP ES 724 Spain
EST EE 233 Estonia
ETH ET 231 Ethiopia
FIN FI 246 Finland
FJI FJ 242 Fiji
FLK FK 238 Falkland Islands|Falkland Islands (Malvinas)|Falkland Isds (Malvinas)
FRA FR 250 France|France, Monaco
FRO FO 234 Faroe Islands|Faeroe Islands|Faeroe Isds
FSM FM 583 Micronesia|FS Micronesia|Micronesia (Federated States of)|Micronesia, Fed. Sts.
GAB GA 266 Gabon
GBR GB 826 United Kingdom|UK|Great Britain|United Kingdom of Great Britain and Northern Ireland
GEO GE 268 Georgia
GGY GG 831 Guernsey
GHA GH 288 Ghana
GIB GI 292 Gibraltar
GIN GN 324 Guinea
GLP GP 312 Guadeloupe
GMB GM 270 Gambia|Gambia, The|The Gambia
GNB GW 624 Guinea-Bissau
GNQ GQ 226 Equatorial Guinea
GRC GR 300 Greece
GRD GD 308 Grenada
GRL GL 304 Greenland
GTM GT 320 Guatemala
GUF GF 254 French Guiana
GUM GU 316 Guam
GUY GY 328 Guyana
HKG HK 344 Hong Kong|China, Hong Kong SAR|Hong Kong SAR, China
HMD HM 334 Heard Island and McDonald Islands
HND HN 340 Honduras
HRV HR 191 Croatia
HTI HT 332 Haiti
HUN HU 348 Hungary
IDN ID 360 Indonesia
IMN IM 833 Isle of Man
IND IN 356 India|India (excluding Sikkim)
IOT IO 86 British Indian Ocean Territory|Br. Indian Ocean Terr.
IRL IE 372 Ireland
IRN IR 364 Iran|Iran (Islamic Republic of)|Iran, Islamic Rep.
IRQ IQ 368 Iraq
ISL IS 352 Iceland
ISR IL 376 Israel
ITA IT 380 Italy
JAM JM 388 Jamaica
JEY JE 832 Jersey
JOR JO 400 Jordan
JPN JP 392 Japan
KAZ KZ 398 Kazakhstan
KEN KE 404 Kenya
KGZ KG 417 Kyrgyzstan|Kyrgyz Republic
KHM KH 116 Cambodia
KIR KI 296 Kiribati
KNA KN 659 Saint Kitts and Nevis|St. Kitts and Nevis
KOR KR 410 South Korea|Korea, Republic of|Republic of Korea|Rep. of Korea|Korea, Rep.|Korea, South|Korea
KWT KW 414 Kuwait
LAO LA 418 Laos|Lao People's Dem. Rep.|Lao People's Democratic Republic|Lao PDR
LBN LB 422 Lebanon
LBR LR 430 Liberia
LBY LY 434 Libya
LCA LC 662 Saint Lucia|St. Lucia
LIE LI 438 Liechtenstein
LKA LK 144 Sri Lanka
LSO LS 426 Lesotho
LTU LT 440 Lithuania
LUX LU 442 Luxembourg
LVA LV 428 Latvia
MAC MO 446 Macao|Macau|China, Macao SAR|Macao SAR, China
MAF MF 663 Saint Martin (French part)|St. Martin (French part)
MAR MA 504 Morocco
MCO MC 492 Monaco
MDA MD 498 Moldova|Republic of Moldova|Rep. of Moldova
MDG MG 450 Madagascar
MDV MV 462 Maldives
MEX MX 484 Mexico
MHL MH 584 Marshall Islands|Marshall Isds
MKD MK 807 North Macedonia|Macedonia|TFYR of Macedonia
MLI ML 466 Mali
MLT MT 470 Malta
MMR MM 104 Myanmar|Burma
MNE ME 499 Montenegro
MNG MN 496 Mongolia
MNP MP 580 Northern Mariana Islands|N. Mariana Isds
MOZ MZ 508 Mozambique
MRT MR 478 Mauritania
MSR MS 500 Montserrat
MTQ MQ 474 Martinique
MUS MU 480 Mauritius
MWI MW 454 Malawi
MYS MY 458 Malaysia
MYT YT 175 Mayotte
NAM NA 516 Namibia
NCL NC 540 New Caledonia
NER NE 562 Niger
NFK NF 574 Norfolk Island|Norfolk Islands
NGA NG 566 Nigeria
NIC NI 558 Nicaragua
NIU NU 570 Niue
NLD NL 528 Netherlands|Netherlands (Kingdom of the)
NOR NO 578 Norway|Norway, Svalbard and Jan Mayen
NPL NP 524 Nepal
NRU NR 520 Nauru
NZL NZ 554 New Zealand
OMN OM 512 Oman
PAK PK 586 Pakistan
PAN PA 591 Panama
PCN PN 612 Pitcairn
PER PE 604 Peru
PHL PH 608 Philippines
PLW PW 585 Palau
PNG PG 598 Papua New Guinea
POL PL 616 Poland
PRI PR 630 Puerto Rico
PRK KP 408 North Korea|Korea, North|Democratic People's Republic of Korea|Dem. People's Rep. of Korea|Korea, Dem. People's Rep.
PRT PT 620 Portugal
PRY PY 600 Paraguay
PSE PS 275 Palestine|State of Palestine|West Bank and Gaza
PYF PF 258 French Polynesia
QAT QA 634 Qatar
REU RE 638 Réunion|Reunion
ROU RO 642 Romania
RUS RU 643 Russia|Russian Federation
RWA RW 646 Rwanda
SAU SA 682 Saudi Arabia
SDN SD 729 Sudan
SEN SN 686 Senegal
SGP SG 702 Singapore
SGS GS 239 South Georgia and the South Sandwich Islands
SHN SH 654 Saint Helena
SJM SJ 744 Svalbard and Jan Mayen
SLB SB 90 Solomon Islands|Solomon Isds
SLE SL 694 Sierra Leone
SLV SV 222 El Salvador
SMR SM 674 San Marino
SOM SO 706 Somalia
SPM PM 666 Saint Pierre and Miquelon
SRB RS 688 Serbia
SSD SS 728 South Sudan
STP ST 678 Sao Tome and Principe|São Tomé and Príncipe
SUR SR 740 Suriname
SVK SK 703 Slovakia|Slovak Republic
SVN SI 705 Slovenia
SWE SE 752 Sweden
SWZ SZ 748 Eswatini|Swaziland
SXM SX 534 Sint Maarten|Saint Maarten (Dutch part)|Sint Maarten (Dutch part)
SYC SC 690 Seychelles
SYR SY 760 Syria|Syrian Arab Republic
TCA TC 796 Turks and Caicos Islands|Turks and Caicos Isds
TCD TD 148 Chad
TGO TG 768 Togo
THA TH 764 Thailand
TJK TJ 762 Tajikistan
TKL TK 772 Tokelau
TKM TM 795 Turkmenistan
TLS TL 626 Timor-Leste|East Timor
TON TO 776 Tonga
TTO TT 780 Trinidad and Tobago
TUN TN 788 Tunisia
TUR TR 792 Turkey|Türkiye|Turkiye
TUV TV 798 Tuvalu
TWN TW 158 Taiwan|Chinese Taipei|Taiwan, China|Taiwan, Province of China|Other Asia, not elsewhere specified|Other Asia, nes
TZA TZ 834 Tanzania|United Republic of Tanzania|United Rep. of Tanzania
UGA UG 800 Uganda
UKR UA 804 Ukraine
UMI UM 581 United States Minor Outlying Islands
URY UY 858 Uruguay
USA US 840 United States|United States of America|U.S.|US|U.S.A.|USA, Puerto Rico and US Virgin Islands
UZB UZ 860 Uzbekistan
VAT VA 336 Holy See|Holy See (Vatican City State)
VCT VC 670 Saint Vincent and the Grenadines|St. Vincent and the Grenadines
VEN VE 862 Venezuela|Venezuela (Bolivarian Republic of)|Venezuela, RB
VGB VG 92 British Virgin Islands|Br. Virgin Isds
VIR VI 850 United States Virgin Islands|US Virgin Isds|Virgin Islands (U.S.)
VNM VN 704 Vietnam|Viet Nam
VUT VU 548 Vanuatu
WLF WF 876 Wallis and Futuna|Wallis and Futuna Isds
WSM WS 882 Samoa
XKX XK 383 Kosovo
YEM YE 887 Yemen|Yemen, Rep.
ZAF ZA 710 South Africa
ZMB ZM 894 Zambia
ZWE ZW 716 Zimbabwe
`

// comtrade maps the codes in which UN Comtrade and BACI differ from M49.
// Source: UN Comtrade reporter and partner area lists; CEPII BACI country
// codes. 490 is "Other Asia, not elsewhere specified", which in practice is
// Taiwan; 381 is the older code of Italy with San Marino.
var comtrade = map[int]string{
	251: "FRA", 381: "ITA", 490: "TWN", 579: "NOR", 699: "IND", 757: "CHE", 842: "USA",
	// M49 codes that were replaced
	58: "BEL", 230: "ETH", 280: "DEU", 590: "PAN", 711: "ZAF", 736: "SDN", 841: "USA", 886: "YEM",
}

// otherISO maps alpha-3 codes that sources use for a country whose ISO code
// is another one today.
var otherISO = map[string]string{
	"ROM": "ROU", "ZAR": "COD", "TMP": "TLS", "S19": "TWN", "ZA1": "ZAF", "KSV": "XKX", "XKK": "XKX", "WBG": "PSE", "BLX": "BEL", "KO0": "KOR",
}

// historic lists codes of states and customs areas that no longer exist; they
// have no single successor, so they stay themselves.
var historic = map[string]string{
	"SCG": "Serbia and Montenegro", "YUG": "Yugoslavia", "ANT": "Netherlands Antilles", "DDR": "German Democratic Republic",
	"SUN": "Soviet Union", "CSK": "Czechoslovakia", "PUS": "Pacific Islands (US trust territory)", "YMD": "Yemen, Democratic",
	"PCZ": "Panama Canal Zone",
}

// historicNumber gives the M49 numbers of the historic codes.
var historicNumber = map[int]string{
	891: "SCG", 890: "YUG", 530: "ANT", 278: "DDR", 810: "SUN", 200: "CSK", 582: "PUS", 720: "YMD",
}

// residualNumber lists the numbers under which Comtrade reports trade with no
// country. 490 is not here: it is Taiwan.
var residualNumber = map[int]string{
	290: "Northern Africa, nes", 471: "CACM, nes", 472: "Africa CAMEU region, nes", 473: "LAIA, nes", 527: "Oceania, nes", 568: "Other Europe, nes",
	577: "Other Africa, nes", 636: "Rest of America, nes", 637: "North America and Central America, nes", 697: "Europe EFTA, nes", 837: "Bunkers",
	838: "Free zones", 839: "Special categories", 849: "US Misc. Pacific Isds", 879: "Western Asia, nes", 899: "Areas, nes",
}
