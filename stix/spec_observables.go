package stix

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
