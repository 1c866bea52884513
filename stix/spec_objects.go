package stix

// The object types of STIX 2.1 as data. compile.go reads these texts once, at
// start.
//
// A line at the left margin opens a type: its class (sdo, sro, sco, meta, or
// part for a type that only stands inside others), its name, and after a colon
// the names of the predefined extensions it may carry. An indented line is a
// property, "name! kind": "!" when required, the kind in brackets for a list.
// Kinds: string int float bool time bin hex id dict hashes uri email lang mime
// charset host ipv4 ipv6 mac cpe hive, with "lo..hi" for the range of a number;
// ov:V and enum:V for an open and a closed vocabulary, V its name or its words
// joined by "|"; ref:a|b for a reference to an object of one of those types or
// classes, ref for any; of:P for a part; dict:K for a dictionary with values of
// a kind. An indented line that begins with "?" is a rule between properties:
//
//	? atleast a b     one of them or more
//	? one a b         exactly one of them
//	? needs a b       a only together with b
//	? order a <= b    both times, when both stand there; or a < b
//	? any             a property of the type itself, or an extension
//	? should a b      each should stand there: a warning
//	? code F          the Go function F in rules.go
const specSDO = `
sdo attack-pattern
  name! string
  description string
  aliases [string]
  kill_chain_phases [of:kill-chain-phase]
sdo campaign
  name! string
  description string
  aliases [string]
  first_seen time
  last_seen time
  objective string
  ? order first_seen <= last_seen
sdo course-of-action
  name! string
  description string
sdo grouping
  name string
  description string
  context! ov:grouping-context-ov
  object_refs! [ref]
sdo identity
  name! string
  description string
  roles [string]
  identity_class ov:identity-class-ov
  sectors [ov:industry-sector-ov]
  contact_information string
sdo incident
  name! string
  description string
sdo indicator
  name string
  description string
  indicator_types [ov:indicator-type-ov]
  pattern! string
  pattern_type! ov:pattern-type-ov
  pattern_version string
  valid_from! time
  valid_until time
  kill_chain_phases [of:kill-chain-phase]
  ? order valid_from < valid_until
  ? code pattern
sdo infrastructure
  name! string
  description string
  infrastructure_types [ov:infrastructure-type-ov]
  aliases [string]
  kill_chain_phases [of:kill-chain-phase]
  first_seen time
  last_seen time
  ? order first_seen <= last_seen
sdo intrusion-set
  name! string
  description string
  aliases [string]
  first_seen time
  last_seen time
  goals [string]
  resource_level ov:attack-resource-level-ov
  primary_motivation ov:attack-motivation-ov
  secondary_motivations [ov:attack-motivation-ov]
  ? order first_seen <= last_seen
sdo location
  name string
  description string
  latitude float -90..90
  longitude float -180..180
  precision float 0..
  region ov:region-ov
  country string
  administrative_area string
  city string
  street_address string
  postal_code string
  ? atleast region country latitude
  ? needs latitude longitude
  ? needs longitude latitude
  ? needs precision latitude
  ? needs precision longitude
  ? code country
sdo malware
  name string
  description string
  malware_types [ov:malware-type-ov]
  is_family! bool
  aliases [string]
  kill_chain_phases [of:kill-chain-phase]
  first_seen time
  last_seen time
  operating_system_refs [ref:software]
  architecture_execution_envs [ov:processor-architecture-ov]
  implementation_languages [ov:implementation-language-ov]
  capabilities [ov:malware-capabilities-ov]
  sample_refs [ref:artifact|file]
  ? order first_seen <= last_seen
  ? code malwareFamily
sdo malware-analysis
  product! string
  version string
  host_vm_ref ref:software
  operating_system_ref ref:software
  installed_software_refs [ref:software]
  configuration_version string
  modules [string]
  analysis_engine_version string
  analysis_definition_version string
  submitted time
  analysis_started time
  analysis_ended time
  result_name string
  result ov:malware-result-ov
  analysis_sco_refs [ref:sco]
  sample_ref ref:artifact|file|network-traffic
  ? atleast result analysis_sco_refs
sdo note
  abstract string
  content! string
  authors [string]
  object_refs! [ref]
sdo observed-data
  first_observed! time
  last_observed! time
  number_observed! int 1..999999999
  objects container
  object_refs [ref:sco|sro]
  ? order first_observed <= last_observed
  ? one objects object_refs
  ? code observed
sdo opinion
  explanation string
  authors [string]
  opinion! enum:opinion-enum
  object_refs! [ref]
sdo report
  name! string
  description string
  report_types [ov:report-type-ov]
  published! time
  object_refs! [ref]
sdo threat-actor
  name! string
  description string
  threat_actor_types [ov:threat-actor-type-ov]
  aliases [string]
  first_seen time
  last_seen time
  roles [ov:threat-actor-role-ov]
  goals [string]
  sophistication ov:threat-actor-sophistication-ov
  resource_level ov:attack-resource-level-ov
  primary_motivation ov:attack-motivation-ov
  secondary_motivations [ov:attack-motivation-ov]
  personal_motivations [ov:attack-motivation-ov]
  ? order first_seen <= last_seen
sdo tool
  name! string
  description string
  tool_types [ov:tool-type-ov]
  aliases [string]
  kill_chain_phases [of:kill-chain-phase]
  tool_version string
sdo vulnerability
  name! string
  description string

sro relationship
  relationship_type! string
  description string
  source_ref! ref:sdo|sco
  target_ref! ref:sdo|sco
  start_time time
  stop_time time
  ? order start_time < stop_time
  ? code relationship
sro sighting
  description string
  first_seen time
  last_seen time
  count int 0..999999999
  sighting_of_ref! ref:sdo
  observed_data_refs [ref:observed-data]
  where_sighted_refs [ref:identity|location]
  summary bool
  ? order first_seen <= last_seen

meta extension-definition
  name! string
  description string
  schema! string
  version! string
  extension_types! [enum:extension-type-enum]
  extension_properties [string]
  ? code extensionDefinition
  ? should description
meta language-content
  object_ref! ref
  object_modified time
  contents! contents
meta marking-definition
  name string
  definition_type string
  definition dict
  ? code marking

part kill-chain-phase
  kill_chain_name! slug
  phase_name! slug
part external-reference
  source_name! string
  description string
  url uri
  hashes hashes
  external_id string
  ? atleast description url external_id
  ? code catalogue
part granular-marking
  lang lang
  marking_ref ref:marking-definition
  selectors! [string]
  ? one lang marking_ref
  ? code selectors
`

// specSCO holds the cyber-observable objects (STIX 6).
const specSCO = `
sco artifact
  mime_type mime
  payload_bin bin
  url uri
  hashes hashes
  encryption_algorithm enum:encryption-algorithm-enum
  decryption_key string
  ? one payload_bin url
  ? needs url hashes
  ? needs decryption_key encryption_algorithm
sco autonomous-system
  number! int
  name string
  rir string
sco directory
  path! string
  path_enc charset
  ctime time
  mtime time
  atime time
  contains_refs [ref:file|directory]
sco domain-name
  value! host
  resolves_to_refs [ref:ipv4-addr|ipv6-addr|domain-name]
sco email-addr
  value! email
  display_name string
  belongs_to_ref ref:user-account
sco email-message
  is_multipart! bool
  date time
  content_type string
  from_ref ref:email-addr
  sender_ref ref:email-addr
  to_refs [ref:email-addr]
  cc_refs [ref:email-addr]
  bcc_refs [ref:email-addr]
  message_id string
  subject string
  received_lines [string]
  additional_header_fields dict
  body string
  body_multipart [of:mime-part-type]
  raw_email_ref ref:artifact
  ? code emailBody
part mime-part-type
  body string
  body_raw_ref ref:artifact|file
  content_type string
  content_disposition string
  ? atleast body body_raw_ref
sco file : archive-ext ntfs-ext pdf-ext raster-image-ext windows-pebinary-ext
  hashes hashes
  size int 0..
  name string
  name_enc charset
  magic_number_hex hex
  mime_type media-type
  ctime time
  mtime time
  atime time
  parent_directory_ref ref:directory
  contains_refs [ref:sco]
  content_ref ref:artifact
  ? atleast hashes name
  ? needs name_enc name
part archive-ext
  contains_refs! [ref:file|directory]
  comment string
part ntfs-ext
  sid string
  alternate_data_streams [of:alternate-data-stream-type]
  ? any
part alternate-data-stream-type
  name! string
  hashes hashes
  size int 0..
part pdf-ext
  version string
  is_optimized bool
  document_info_dict dict:string
  pdfid0 string
  pdfid1 string
  ? any
part raster-image-ext
  image_height int
  image_width int
  bits_per_pixel int
  exif_tags dict:scalar
  ? any
part windows-pebinary-ext
  pe_type! ov:windows-pebinary-type-ov
  imphash string
  machine_hex hex
  number_of_sections int 0..
  time_date_stamp time
  pointer_to_symbol_table_hex hex
  number_of_symbols int 0..
  size_of_optional_header int 0..
  characteristics_hex hex
  file_header_hashes hashes
  optional_header of:windows-pe-optional-header-type
  sections [of:windows-pe-section-type]
  ? code pebinary
part windows-pe-optional-header-type
  magic_hex hex
  major_linker_version int
  minor_linker_version int
  size_of_code int 0..
  size_of_initialized_data int 0..
  size_of_uninitialized_data int 0..
  address_of_entry_point int
  base_of_code int
  base_of_data int
  image_base int
  section_alignment int
  file_alignment int
  major_os_version int
  minor_os_version int
  major_image_version int
  minor_image_version int
  major_subsystem_version int
  minor_subsystem_version int
  win32_version_value_hex hex
  size_of_image int 0..
  size_of_headers int 0..
  checksum_hex hex
  subsystem_hex hex
  dll_characteristics_hex hex
  size_of_stack_reserve int 0..
  size_of_stack_commit int 0..
  size_of_heap_reserve int 0..
  size_of_heap_commit int 0..
  loader_flags_hex hex
  number_of_rva_and_sizes int
  hashes hashes
  ? any
part windows-pe-section-type
  name! string
  size int 0..
  entropy float
  hashes hashes
sco ipv4-addr
  value! ipv4
  resolves_to_refs [ref:mac-addr]
  belongs_to_refs [ref:autonomous-system]
sco ipv6-addr
  value! ipv6
  resolves_to_refs [ref:mac-addr]
  belongs_to_refs [ref:autonomous-system]
sco mac-addr
  value! mac
sco mutex
  name! string
sco network-traffic : http-request-ext icmp-ext socket-ext tcp-ext
  start time
  end time
  is_active bool
  src_ref ref:ipv4-addr|ipv6-addr|mac-addr|domain-name
  dst_ref ref:ipv4-addr|ipv6-addr|mac-addr|domain-name
  src_port int 0..65535
  dst_port int 0..65535
  protocols! [string]
  src_byte_count int 0..
  dst_byte_count int 0..
  src_packets int 0..
  dst_packets int 0..
  ipfix dict:scalar
  src_payload_ref ref:artifact
  dst_payload_ref ref:artifact
  encapsulates_refs [ref:network-traffic]
  encapsulated_by_ref ref:network-traffic
  ? atleast src_ref dst_ref
  ? order start <= end
  ? code activeTraffic
  ? should src_port dst_port
part http-request-ext
  request_method! string
  request_value! string
  request_version string
  request_header dict
  message_body_length int
  message_body_data_ref ref:artifact
  ? code requestHeader
part icmp-ext
  icmp_type_hex! hex
  icmp_code_hex! hex
part socket-ext
  address_family! enum:network-socket-address-family-enum
  is_blocking bool
  is_listening bool
  options dict:int
  socket_type enum:network-socket-type-enum
  socket_descriptor int 0..
  socket_handle int
  ? code socketOptions
part tcp-ext
  src_flags_hex hex
  dst_flags_hex hex
  ? atleast src_flags_hex dst_flags_hex
sco process : windows-process-ext windows-service-ext
  is_hidden bool
  pid int
  created_time time
  cwd string
  command_line string
  environment_variables dict:string
  opened_connection_refs [ref:network-traffic]
  creator_user_ref ref:user-account
  image_ref ref:file
  parent_ref ref:process
  child_refs [ref:process]
  ? any
part windows-process-ext
  aslr_enabled bool
  dep_enabled bool
  priority priority-class
  owner_sid string
  window_title string
  windows_title string
  startup_info dict
  integrity_level enum:windows-integrity-level-enum
  ? any
part windows-service-ext
  service_name string
  descriptions [string]
  display_name string
  group_name string
  start_type enum:windows-service-start-type-enum
  service_dll_refs [ref:file]
  service_type enum:windows-service-type-enum
  service_status enum:windows-service-status-enum
  ? any
sco software
  name! string
  cpe cpe
  swid string
  languages [lang]
  vendor string
  version string
sco url
  value! uri
sco user-account : unix-account-ext
  user_id string
  credential string
  account_login string
  account_type ov:account-type-ov
  display_name string
  is_service_account bool
  is_privileged bool
  can_escalate_privs bool
  is_disabled bool
  account_created time
  account_expires time
  credential_last_changed time
  account_first_login time
  account_last_login time
  ? any
part unix-account-ext
  gid int
  groups [string]
  home_dir string
  shell string
  ? any
sco windows-registry-key
  key hive
  values [of:windows-registry-value-type]
  modified_time time
  creator_user_ref ref:user-account
  number_of_subkeys int
  ? any
part windows-registry-value-type
  name string
  data string
  data_type enum:windows-registry-datatype-enum
  ? any
sco x509-certificate
  is_self_signed bool
  hashes hashes
  version string
  serial_number string
  signature_algorithm string
  issuer string
  validity_not_before time
  validity_not_after time
  subject string
  subject_public_key_algorithm string
  subject_public_key_modulus string
  subject_public_key_exponent int
  x509_v3_extensions of:x509-v3-extensions-type
  ? any
part x509-v3-extensions-type
  basic_constraints string
  name_constraints string
  policy_constraints string
  key_usage string
  extended_key_usage string
  subject_key_identifier string
  authority_key_identifier string
  subject_alternative_name string
  issuer_alternative_name string
  subject_directory_attributes string
  crl_distribution_points string
  inhibit_any_policy string
  private_key_usage_period_not_before time
  private_key_usage_period_not_after time
  certificate_policies string
  policy_mappings string
  ? any
`

// specVocabularies holds the vocabularies of STIX 10, one a line: name, words.
const specVocabularies = `
account-type-ov facebook ldap nis openid radius skype tacacs twitter unix windows-local windows-domain
attack-motivation-ov accidental coercion dominance ideology notoriety organizational-gain personal-gain personal-satisfaction revenge unpredictable
attack-resource-level-ov individual club contest team organization government
encryption-algorithm-enum AES-256-GCM ChaCha20-Poly1305 mime-type-indicated
extension-type-enum new-sdo new-sco new-sro property-extension toplevel-property-extension
grouping-context-ov suspicious-activity malware-analysis unspecified
hash-algorithm-ov MD5 SHA-1 SHA-256 SHA-512 SHA3-256 SHA3-512 SSDEEP TLSH
identity-class-ov individual group system organization class unknown
implementation-language-ov applescript bash c c++ c# go java javascript lua objective-c perl php powershell python ruby rust scala swift typescript visual-basic x86-32 x86-64
indicator-type-ov anomalous-activity anonymization benign compromised malicious-activity attribution unknown
industry-sector-ov agriculture aerospace automotive chemical commercial communications construction defense education energy entertainment financial-services government emergency-services government-local government-national government-public-services government-regional healthcare hospitality-leisure infrastructure dams nuclear water insurance legal manufacturing mining non-profit pharmaceuticals retail technology telecommunications transportation utilities
infrastructure-type-ov amplification anonymization botnet command-and-control control-system exfiltration firewall hosting-malware hosting-target-lists phishing reconnaissance routers-switches staging workstation unknown
malware-capabilities-ov accesses-remote-machines anti-debugging anti-disassembly anti-emulation anti-memory-forensics anti-sandbox anti-vm captures-input-peripherals captures-output-peripherals captures-system-state-data cleans-traces-of-infection commits-fraud communicates-with-c2 compromises-data-availability compromises-data-integrity compromises-system-availability controls-local-machine degrades-security-software degrades-system-updates determines-c2-server emails-spam escalates-privileges evades-av exfiltrates-data fingerprints-host hides-artifacts hides-executing-code infects-files infects-remote-machines installs-other-components persists-after-system-reboot prevents-artifact-access prevents-artifact-deletion probes-network-environment self-modifies steals-authentication-credentials violates-system-operational-integrity
malware-result-ov malicious suspicious benign unknown
malware-type-ov adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware remote-access-trojan resource-exploitation rogue-security-software rootkit screen-capture spyware trojan unknown virus webshell wiper worm
network-socket-address-family-enum AF_UNSPEC AF_INET AF_IPX AF_APPLETALK AF_NETBIOS AF_INET6 AF_IRDA AF_BTH
network-socket-type-enum SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET
opinion-enum strongly-disagree disagree neutral agree strongly-agree
pattern-type-ov stix pcre sigma snort suricata yara
processor-architecture-ov alpha arm ia-64 mips powerpc sparc x86 x86-64
region-ov africa eastern-africa middle-africa northern-africa southern-africa western-africa americas latin-america-caribbean south-america caribbean central-america northern-america asia central-asia eastern-asia southern-asia south-eastern-asia western-asia europe eastern-europe northern-europe southern-europe western-europe oceania antarctica australia-new-zealand melanesia micronesia polynesia
report-type-ov attack-pattern campaign identity incident indicator intrusion-set malware observed-data threat-actor threat-report tool vulnerability
threat-actor-type-ov activist competitor crime-syndicate criminal hacker insider-accidental insider-disgruntled nation-state private-sector sensationalist spy terrorist unknown
threat-actor-role-ov agent director independent infrastructure-architect infrastructure-operator malware-author sponsor
threat-actor-sophistication-ov none minimal intermediate advanced expert innovator strategic
tool-type-ov denial-of-service exploitation information-gathering network-capture credential-exploitation remote-access vulnerability-scanning unknown
windows-integrity-level-enum low medium high system
windows-pebinary-type-ov dll exe sys
windows-registry-datatype-enum REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD REG_DWORD_BIG_ENDIAN REG_DWORD_LITTLE_ENDIAN REG_LINK REG_MULTI_SZ REG_RESOURCE_LIST REG_FULL_RESOURCE_DESCRIPTION REG_RESOURCE_REQUIREMENTS_LIST REG_QWORD REG_INVALID_TYPE
windows-service-start-type-enum SERVICE_AUTO_START SERVICE_BOOT_START SERVICE_DEMAND_START SERVICE_DISABLED SERVICE_SYSTEM_ALERT
windows-service-type-enum SERVICE_KERNEL_DRIVER SERVICE_FILE_SYSTEM_DRIVER SERVICE_WIN32_OWN_PROCESS SERVICE_WIN32_SHARE_PROCESS
windows-service-status-enum SERVICE_CONTINUE_PENDING SERVICE_PAUSE_PENDING SERVICE_PAUSED SERVICE_RUNNING SERVICE_START_PENDING SERVICE_STOP_PENDING SERVICE_STOPPED
`
