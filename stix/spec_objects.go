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
