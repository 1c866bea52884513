package stix

// The extension definitions this package knows, in the language of
// spec_objects.go with two more openings, each with the UUID of the
// definition: "new CLASS TYPE UUID" for a type an extension adds, and "extend
// TYPE UUID" for what stands under the key in an object of that type ("*" for
// any). "closed" after it refuses other properties. An extension that is not
// here is carried and not judged.
//
// Sources: the OASIS incident suite (cti-stix-common-objects,
// incident-core, draft 2.0), where the values of "determination" are those of
// its text and of its schema together, as the two differ; TLP 2.0 and ACS from
// the same repository; narrative, channel and media-content as OpenCTI names
// them; the others are this project's own, their ids the UUIDv5 of
// "extension|<name>|<major>" in Namespace.
const specExtensions = `
extend incident ef765651-680c-498d-9894-99799f2fa126 closed
  determination! enum:blocked|confirmed|failed-attempt|false-positive|low-value|successful-attempt|suspected
  investigation_status! ov:new|open|closed
  criticality int 0..100
  detection_methods [string]
  events [of:event-entry]
  impact_refs [ref:impact]
  impacted_entity_counts dict:int
  incident_types [string]
  recoverability enum:regular|supplemented|extended|not-recoverable|not-applicable
  scores [of:incident-score]
  tasks [of:task-entry]
part incident-score
  name! string
  value! any
  description string
part event-entry
  event_ref! ref:event
  sequence_start bool
  next_steps [of:event-step]
part event-step
  event_ref! ref:event
  condition_type! enum:optional|required|unknown
  transition_type! enum:completion|failure|success|unknown
part task-entry
  task_ref! ref:task
  sequence_start bool
  next_steps [of:task-step]
part task-step
  task_ref! ref:task
  condition_type! enum:optional|required|unknown
  transition_type! enum:completion|failure|success|unknown
part state-change
  state_change_type! enum:caused|contributed-to|input|mitigated|output|resolved
  initial_ref ref
  result_ref ref
  ? atleast initial_ref result_ref
new sdo event 4ca6de00-5b0d-45ef-a1dc-ea7279ea910e
  status! enum:ongoing|occurred|not-occurred|pending|undetermined
  name string
  description string
  event_types [string]
  goal string
  sighting_refs [ref:sighting]
  start_time time
  start_time_fidelity enum:second|minute|hour|day|month|year
  end_time time
  end_time_fidelity enum:second|minute|hour|day|month|year
  changed_objects [of:state-change]
  subevents [of:event-entry]
  ? order start_time <= end_time
new sdo impact 7cc33dd6-f6a1-489b-98ea-522d351d71b9
  impact_category! string
  criticality int 0..100
  description string
  impacted_refs [ref]
  impacted_entity_counts dict:int
  recoverability enum:regular|supplemented|extended|not-recoverable|not-applicable
  start_time time
  start_time_fidelity enum:second|minute|hour|day|month|year
  end_time time
  end_time_fidelity enum:second|minute|hour|day|month|year
  superseded_by_ref ref:impact
  ? order start_time <= end_time
  ? needs superseded_by_ref end_time
  ? code impactCategory
new sdo task 2074a052-8be4-4932-849e-f5e7798e0030
  outcome! enum:cancelled|failed|ongoing|pending|successful|unknown
  task_types [string]
  name string
  description string
  priority int 0..100
  error string
  changed_objects [of:state-change]
  impacted_entity_counts dict:int
  start_time time
  start_time_fidelity enum:second|minute|hour|day|month|year
  end_time time
  end_time_fidelity enum:second|minute|hour|day|month|year
  subtasks [of:task-entry]
  ? order start_time <= end_time

extend marking-definition 60a3c5c5-0d10-413e-aab3-9e08dde9e88d closed
  tlp_2_0! enum:clear|green|amber|amber+strict|red
extend marking-definition 3a65884d-005a-4290-8335-cb2d778a83ce
  identifier! string
  create_date_time! time
  responsible_entity_custodian! string
  responsible_entity_originator string
  policy_reference! string
  control_set! dict
  name string
  authority_reference [string]
  resource_disposition dict
  original_classification dict
  derivative_classification dict
  declassification dict
  public_release dict
  access_privilege [dict]
  further_sharing [dict]
extend marking-definition 60e33e71-22ae-447d-a9ee-488846205169 closed
  stanag4774! string
extend marking-definition f8e644b3-83bf-5605-aef7-24a2bf909657 closed
  signed! string
extend identity 66e2492a-bbd3-4be6-88f5-cc91a017a498
  contact_numbers [of:contact-number]
  email_addresses [of:email-contact]
  social_media_accounts [of:social-media-contact]
  first_name string
  middle_name string
  last_name string
  prefix string
  suffix string
  team string
  ? atleast contact_numbers email_addresses social_media_accounts
part contact-number
  contact_number! string
  contact_number_type! string
  description string
part email-contact
  email_address_ref! ref:email-addr
  digital_contact_type! string
  description string
part social-media-contact
  user_account_ref! ref:user-account
  digital_contact_type! string
  description string

new sdo narrative ea279b3e-5c71-4632-ac08-831c66a786ba
  name! string
  description string
  narrative_types [string]
  aliases [string]
new sdo channel ea279b3e-5c71-4632-ac08-831c66a786ba
  name! string
  description string
  channel_types [string]
  aliases [string]
new sco media-content f93e2c80-4231-4f9a-af8b-95c9bd566a82
  url! uri
  title string
  description string
  content string
  media_category string
  publication_date time

extend incident acd048dd-d6f1-5864-8ea7-c9c664aa8a98
  abcde! dict
  event_context! enum:cyber|public-information-environment|real-world|hybrid
  foreign_dimension! enum:none|possible|assessed
  threshold! of:threshold
  legal_character enum:lawful|unlawful|mixed|undetermined
  coordinating_ref ref
  supporting_refs [ref]
  hybrid_refs [ref]
  state enum:suspected|assessed|confirmed|low-value|closed-no-finding
part threshold
  rule_id string
  met bool
  decided_by_ref ref:identity
  assessment_ref ref:x-causeway-assessment
extend observed-data 67513a66-b6c8-570e-821f-30fe10e3d89c
  captured_at! time
  capture_hash! string
  capture_tool string
  http_status int 100..599
  archive_url uri
  screenshot_hash string
  lang lang
  platform_ref ref:identity
  collection_basis enum:public|partner|legal-process
  personal_data enum:none|minimised
extend narrative 3e25b301-ae6a-5f79-887d-e529880cfe0a
  lang! lang
  summary! string
  roles [dict]
  claim_refs [ref:x-causeway-claim]
  audience_refs [ref:location|identity]
  first_seen time
  last_seen time
  context_event_refs [ref:event]
  coding [dict]
  rebuttal_refs [ref]
  ? order first_seen <= last_seen
extend channel 8f574772-960c-573d-b32d-d06112e7305a
  conduit_kind! enum:web|social|messaging|broadcast|print|in-person
  platform_ref ref:identity
  stable_id string
  handle string
  languages [lang]
  active_from time
  active_until time
  exposure! [of:exposure]
  owner_assertions [dict]
  ? order active_from <= active_until
part exposure
  class! enum:official-state|state-controlled|state-linked|state-aligned|unknown
  asserted_by_ref! ref:identity
  basis_refs [ref]
  asserted_at time
  contact string
extend impact 5c2c9ddf-2281-5d57-98f6-7fbde0c0166f
  measurement_method! string
  as_of! time
  reach dict
  engagement dict
  harm_types [string]
  mitigateability enum:full|partial|none|unknown
  perception_estimate_ref ref:x-causeway-perception-estimate
  counterfactual string
extend course-of-action 1488b9ea-53d5-5a4b-ba00-487ab55b0670
extend task 3ac4f093-d2e5-5c80-8c03-9543ea16f45b
  playbook_ref! ref:course-of-action
  playbook_version! string
  legal_basis_ref! ref
  observed_after! [of:after-effect]
  counter_moves [string]
  side_effects [string]
  evaluation_due time
part after-effect
  event_ref ref:event
  window enum:24h|7d|30d
  text string
extend language-content 6b2cdcb4-0f2f-544a-ab48-775fd248b596
  status! enum:machine|reviewed|official
  translator_role string
  source_lang lang
  glossary_version string
new sdo x-causeway-claim 01d3bd23-5a14-5c75-b33f-b0ce4f5d548b
  text! string
  lang! lang
  checkable! enum:yes|partly|no
  speaker_ref ref:identity
  claim_date time
  appearance_refs [ref]
  narrative_refs [ref:narrative]
  status enum:open|reviewed|rebutted|accurate
  neutral_restatement string
new sdo x-causeway-assessment f1970f24-9a39-574c-b6c7-1849351711e3
  subject_refs! [ref]
  kind! enum:attribution|coordination|foreign-dimension|impact|same-as|exposure|narrative-coding|other
  judgement! string
  likelihood! enum:almost-no-chance|very-unlikely|unlikely|roughly-even-chance|likely|very-likely|almost-certain
  analytic_confidence! enum:low|moderate|high
  basis_refs! [ref]
  alternatives! [of:alternative]
  method! enum:human|machine-assisted
  author_role! string
  expires! time
  key_assumptions [string]
  gaps [string]
  source_grades dict
  supersedes_ref ref:x-causeway-assessment
  dissents_from_ref ref:x-causeway-assessment
  dissent_withheld bool
  ? code alternatives
part alternative
  label! string
  status! enum:supported|plausible|ruled-out|untested
  reason! string
  evidence_refs [ref]
  would_change_if string
  ? code ruledOut
new sdo x-causeway-match 48eae6e6-30fd-5d9d-b774-13a9dd6e8c72
  a_ref! ref
  b_ref! ref
  relation! enum:same-as|overlaps|distinct|renamed
  basis_refs! [ref]
  likelihood enum:almost-no-chance|very-unlikely|unlikely|roughly-even-chance|likely|very-likely|almost-certain
`
