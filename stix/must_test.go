package stix

import (
	"fmt"
	"strings"
	"testing"
)

const (
	head = `"spec_version":"2.1","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"`
	u4   = "0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f"
	u5   = "28bb3599-77cd-5a82-a950-b5bc3caf07c4"
)

// sdo writes an object other than an SCO; properties is the rest of its text.
func sdo(typ, properties string) string {
	return fmt.Sprintf(`{"type":%q,"id":"%s--%s",%s%s}`, typ, typ, u4, head, comma(properties))
}

func sco(typ, properties string) string {
	return fmt.Sprintf(`{"type":%q,"id":"%s--%s"%s}`, typ, typ, u4, comma(properties))
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return "," + s
}

// The smallest valid object of every type, and then one broken MUST at a time:
// the code and the path of the first problem. Each line cites nothing but the
// property: the sections are in the specification texts.
var musts = []struct {
	text, want string // want is "" for valid, else "path code"
}{
	{sdo("attack-pattern", `"name":"a"`), ""},
	{sdo("attack-pattern", ``), "name required"},
	{sdo("attack-pattern", `"name":7`), "name type"},
	{sdo("attack-pattern", `"name":null`), "name null"},
	{sdo("attack-pattern", `"name":"a","aliases":[]`), "aliases empty"},
	{sdo("attack-pattern", `"name":"a","aliases":["b",1]`), "aliases[1] type"},
	{sdo("attack-pattern", `"name":"a","kill_chain_phases":[{"phase_name":"b"}]`), "kill_chain_phases[0].kill_chain_name required"},
	{sdo("attack-pattern", `"name":"a","x_n":9007199254740992`), "x_n range"},
	{sdo("attack-pattern", `"name":"a","x_n":9007199254740991`), ""},
	{sdo("attack-pattern", `"name":"a","x_n":1e999`), "x_n range"},
	{sdo("attack-pattern", `"name":"a","x_n":{"y":[{"z":{}}]}`), "x_n.y[0].z empty"},
	{sdo("attack-pattern", `"name":"a","x_n":{"é":1}`), "x_n.é key"},
	{sdo("attack-pattern", `"name":"a","Some":1`), "Some name"},
	{sdo("attack-pattern", `"name":"a","xy":1`), "xy name"},
	{sdo("attack-pattern", `"name":"a","severity":1`), "severity reserved"},
	{sdo("attack-pattern", `"name":"a","x_ref":"b"`), "x_ref identifier"},
	{sdo("attack-pattern", `"name":"a","x_refs":["tool--`+u4+`"]`), ""},
	{sdo("attack-pattern", `"name":"a","x_bin":"!"`), "x_bin base64"},
	{sdo("attack-pattern", `"name":"a","x_hex":"AB"`), "x_hex hex"},
	{sdo("attack-pattern", `"name":"a","x_hex":"abc"`), "x_hex hex"},
	{sdo("attack-pattern", `"name":"a","name_enc":"x"`), ""},
	{sdo("attack-pattern", `"name":"a","x_y_enc":"x"`), "x_y_enc required"},
	{sdo("attack-pattern", `"name":"a","confidence":101`), "confidence range"},
	{sdo("attack-pattern", `"name":"a","confidence":-1`), "confidence range"},
	{sdo("attack-pattern", `"name":"a","confidence":50.5`), "confidence type"},
	{sdo("attack-pattern", `"name":"a","lang":"zh-Hant-TW"`), ""},
	{sdo("attack-pattern", `"name":"a","lang":"fil"`), ""},
	{sdo("attack-pattern", `"name":"a","lang":"EN"`), ""},
	{sdo("attack-pattern", `"name":"a","lang":"english"`), "lang language"},
	{sdo("attack-pattern", `"name":"a","revoked":"true"`), "revoked type"},
	{sdo("attack-pattern", `"name":"a","labels":"b"`), "labels type"},
	{sdo("attack-pattern", `"name":"a","defanged":true`), "defanged not-applicable"},
	{sdo("attack-pattern", `"name":"a","created_by_ref":"tool--`+u4+`"`), "created_by_ref reference"},
	{sdo("attack-pattern", `"name":"a","object_marking_refs":["identity--`+u4+`"]`), "object_marking_refs[0] reference"},
	{sdo("attack-pattern", `"name":"a","external_references":[{"source_name":"b"}]`), "external_references[0] required"},
	{sdo("attack-pattern", `"name":"a","external_references":[{"url":"https://e.example/"}]`), "external_references[0].source_name required"},
	{sdo("attack-pattern", `"name":"a","external_references":[{"source_name":"b","url":"https://e.example/ "}]`), "external_references[0].url uri"},
	{sdo("attack-pattern", `"name":"a","external_references":[{"source_name":"capec","external_id":"163"}]`), "external_references[0].external_id catalogue"},
	{sdo("attack-pattern", `"name":"a","external_references":[{"source_name":"b","url":"https://e.example/","hashes":{"SHA-256":"ab"}}]`), "external_references[0].hashes.SHA-256 hash"},
	{sdo("attack-pattern", `"name":"a","granular_markings":[{"selectors":["name"],"lang":"en"}]`), ""},
	{sdo("attack-pattern", `"name":"a","granular_markings":[{"selectors":["name"]}]`), "granular_markings[0] required"},
	{sdo("attack-pattern", `"name":"a","granular_markings":[{"selectors":["name"],"lang":"en","marking_ref":"marking-definition--`+u4+`"}]`), "granular_markings[0] exclusive"},
	{sdo("attack-pattern", `"name":"a","granular_markings":[{"selectors":["name.[0]"],"lang":"en"}]`), "granular_markings[0].selectors selector"},
	{sdo("attack-pattern", `"name":"a","labels":["b"],"granular_markings":[{"selectors":["labels.[0]"],"lang":"en"}]`), ""},
	{sdo("attack-pattern", `"name":"a","labels":["b"],"granular_markings":[{"selectors":["labels.[1]"],"lang":"en"}]`), "granular_markings[0].selectors selector"},
	{sdo("attack-pattern", `"name":"a","granular_markings":[{"selectors":["description"],"lang":"en"}]`), "granular_markings[0].selectors selector"},
	{sdo("attack-pattern", `"name":"a","extensions":{"extension-definition--`+u4+`":{"a":1}}`), "extensions.extension-definition--" + u4 + " required"},
	{sdo("attack-pattern", `"name":"a","extensions":{"extension-definition--x":{"extension_type":"property-extension"}}`), "extensions.extension-definition--x identifier"},
	{sdo("attack-pattern", `"name":"a","extensions":{"extension-definition--`+u4+`":{"extension_type":"own"}}`), "extensions.extension-definition--" + u4 + ".extension_type enum"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), "00.000Z", "00Z", 1), "created timestamp"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), `"2.1"`, `"2.0"`, 1), "spec_version spec-version"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), `"spec_version":"2.1",`, ``, 1), "spec_version required"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), `pattern--`, `pattern-`, 1), "id identifier"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), `"attack-pattern--`, `"tool--`, 1), "id identifier"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), u4, "00000000-0000-0000-0000-000000000000", 1), "id identifier"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), `"attack-pattern",`, `7,`, 1), "type type"},

	{sdo("campaign", `"name":"a","first_seen":"2016-12-31T23:59:60Z","last_seen":"2017-01-01T00:00:00Z"`), ""},
	{sdo("campaign", `"name":"a","first_seen":"2026-01-01T00:00:00.100Z","last_seen":"2026-01-01T00:00:00.100000000Z"`), ""},
	{sdo("campaign", `"name":"a","first_seen":"2026-01-02T00:00:00Z","last_seen":"2026-01-01T00:00:00Z"`), " order"},
	{sdo("course-of-action", `"name":"a"`), ""},
	{sdo("course-of-action", `"name":"a","action":"b"`), "action reserved"},
	{sdo("grouping", `"context":"x","object_refs":["tool--`+u4+`"]`), ""},
	{sdo("grouping", `"object_refs":["tool--`+u4+`"]`), "context required"},
	{sdo("grouping", `"context":"x"`), "object_refs required"},
	{sdo("grouping", `"context":"x","object_refs":["bundle--`+u4+`"]`), "object_refs[0] reference"},
	{sdo("identity", `"name":"a"`), ""},
	{sdo("incident", ``), "name required"},
	{sdo("indicator", `"pattern":"[url:value = 'a']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`), ""},
	{sdo("indicator", `"pattern":"[url:value = a]","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`), "pattern pattern"},
	{sdo("indicator", `"pattern":"[url:value = a]","pattern_type":"sigma","valid_from":"2026-01-01T00:00:00Z"`), ""},
	{sdo("indicator", `"pattern":"[url:value = 'a']","pattern_type":"stix"`), "valid_from required"},
	{sdo("indicator", `"pattern":"[url:value = 'a']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-01-01T00:00:00.000Z"`), " order"},
	{sdo("infrastructure", `"name":"a"`), ""},
	{sdo("intrusion-set", `"name":"a"`), ""},
	{sdo("intrusion-set", `"name":"a","goals":"b"`), "goals type"},
	{sdo("location", `"region":"asia"`), ""},
	{sdo("location", `"latitude":1.5,"longitude":2`), ""},
	{sdo("location", `"name":"a"`), " required"},
	{sdo("location", `"latitude":1.5`), " required"},
	{sdo("location", `"country":"jp","precision":5.0`), " required"},
	{sdo("location", `"latitude":91,"longitude":2`), "latitude range"},
	{sdo("location", `"latitude":1,"longitude":-180.5`), "longitude range"},
	{sdo("malware", `"is_family":false`), ""},
	{sdo("malware", `"is_family":true`), "name required"},
	{sdo("malware", `"is_family":false,"sample_refs":["tool--`+u4+`"]`), "sample_refs[0] reference"},
	{sdo("malware", `"is_family":false,"operating_system_refs":["software--x"]`), "operating_system_refs[0] identifier"},
	{sdo("malware-analysis", `"product":"a","result":"benign"`), ""},
	{sdo("malware-analysis", `"product":"a"`), " required"},
	{sdo("malware-analysis", `"product":"a","analysis_sco_refs":["tool--`+u4+`"]`), "analysis_sco_refs[0] reference"},
	{sdo("note", `"content":"a","object_refs":["tool--`+u4+`"]`), ""},
	{sdo("note", `"content":"a","object_refs":"tool--`+u4+`"`), "object_refs type"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"object_refs":["url--`+u5+`","relationship--`+u4+`"]`), ""},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"object_refs":["relationship--`+u4+`"]`), "object_refs reference"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1000000000,"object_refs":["url--`+u5+`"]`), "number_observed range"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1`), " required"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"object_refs":["url--`+u5+`"],"objects":{"0":{"type":"url","value":"https://e.example/"}}`), " exclusive"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"domain-name","value":"e.example","resolves_to_refs":["1"]},"1":{"type":"ipv4-addr","value":"198.51.100.1"}}`), ""},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"domain-name","value":"e.example","resolves_to_refs":["2"]}}`), "objects.0.resolves_to_refs[0] reference"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"domain-name","value":"e.example","resolves_to_refs":["1"]},"1":{"type":"url","value":"https://e.example/"}}`), "objects.0.resolves_to_refs[0] reference"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"relationship"}}`), "objects.0 reference"},
	{sdo("observed-data", `"first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":5}}`), "objects.0.type type"},
	{sdo("opinion", `"opinion":"agree","object_refs":["tool--`+u4+`"]`), ""},
	{sdo("opinion", `"opinion":"maybe","object_refs":["tool--`+u4+`"]`), "opinion enum"},
	{sdo("report", `"name":"a","published":"2026-01-01T00:00:00Z","object_refs":["tool--`+u4+`"]`), ""},
	{sdo("report", `"name":"a","published":"2026-01-01","object_refs":["tool--`+u4+`"]`), "published timestamp"},
	{sdo("threat-actor", `"name":"a","roles":["director"]`), ""},
	{sdo("tool", `"name":"a"`), ""},
	{sdo("vulnerability", `"name":"a"`), ""},

	{sdo("relationship", `"relationship_type":"uses","source_ref":"tool--`+u4+`","target_ref":"url--`+u5+`"`), ""},
	{sdo("relationship", `"relationship_type":"","source_ref":"tool--`+u4+`","target_ref":"url--`+u5+`"`), "relationship_type name"},
	{sdo("relationship", `"relationship_type":"u_es","source_ref":"tool--`+u4+`","target_ref":"url--`+u5+`"`), "relationship_type name"},
	{sdo("relationship", `"relationship_type":"Uses","source_ref":"tool--`+u4+`","target_ref":"url--`+u5+`"`), "relationship_type name"},
	{sdo("relationship", `"relationship_type":"uses","source_ref":"relationship--`+u4+`","target_ref":"url--`+u5+`"`), "source_ref reference"},
	{sdo("relationship", `"relationship_type":"uses","source_ref":"tool--`+u4+`","target_ref":"marking-definition--`+u4+`"`), "target_ref reference"},
	{sdo("relationship", `"relationship_type":"uses","source_ref":"tool--`+u4+`","target_ref":"url--`+u5+`","start_time":"2026-01-01T00:00:00Z","stop_time":"2026-01-01T00:00:00Z"`), " order"},
	{sdo("sighting", `"sighting_of_ref":"tool--`+u4+`","count":0`), ""},
	{sdo("sighting", `"sighting_of_ref":"url--`+u5+`"`), "sighting_of_ref reference"},
	{sdo("sighting", `"sighting_of_ref":"tool--`+u4+`","count":1000000000`), "count range"},
	{sdo("sighting", `"sighting_of_ref":"tool--`+u4+`","where_sighted_refs":["location--`+u4+`"]`), ""},

	{sdo("extension-definition", `"created_by_ref":"identity--`+u4+`","name":"a","schema":"b","version":"1.0.0","extension_types":["new-sdo"]`), ""},
	{sdo("extension-definition", `"name":"a","schema":"b","version":"1.0.0","extension_types":["new-sdo"]`), "created_by_ref required"},
	{sdo("extension-definition", `"created_by_ref":"identity--`+u4+`","name":"a","schema":"b","version":"1.0.0","extension_types":["new-sdo"],"confidence":1`), "confidence not-applicable"},
	{sdo("language-content", `"object_ref":"tool--`+u4+`","contents":{"de":{"name":"a"}}`), ""},
	{sdo("language-content", `"object_ref":"tool--`+u4+`","contents":{"klingonese":{"name":"a"}}`), "contents.klingonese language"},
	{sdo("language-content", `"object_ref":"tool--`+u4+`","contents":{"de":"a"}`), "contents.de type"},
	{sdo("language-content", `"object_ref":"tool--`+u4+`","contents":{"de":{"name":"a"}},"lang":"de"`), "lang not-applicable"},
	{sdo("marking-definition", `"definition_type":"statement","definition":{"statement":"a"}`), "modified not-applicable"},
	{marking(`"definition_type":"statement","definition":{"statement":"a"}`), ""},
	{marking(`"definition_type":"statement","definition":{"text":"a"}`), "definition required"},
	{marking(`"definition_type":"statement"`), "definition required"},
	{marking(`"definition_type":"tlp","definition":{"tlp":"green"}`), " tlp"},
	{marking(`"definition_type":"statement","definition":{"statement":"a"},"revoked":true`), "revoked not-applicable"},
	{marking(`"extensions":{"` + TLP2Extension + `":{"extension_type":"property-extension","tlp_2_0":"clear"}}`), "extensions." + TLP2Extension + " tlp"},
	{strings.Replace(marking(`"extensions":{"`+TLP2Extension+`":{"extension_type":"property-extension","tlp_2_0":"clear"}}`), "marking-definition--"+u4, TLPClear, 1), ""},
	{marking(`"extensions":{"` + TLP2Extension + `":{"extension_type":"property-extension","tlp_2_0":"blue"}}`), "extensions." + TLP2Extension + ".tlp_2_0 enum"},
	{marking(`"extensions":{"` + LabelExtension + `":{"extension_type":"property-extension"}}`), "extensions." + LabelExtension + ".stanag4774 required"},
	{marking(`"extensions":{"` + LabelExtension + `":{"extension_type":"property-extension","stanag4774":"<a/>","also":"b"}}`), "extensions." + LabelExtension + ".also unknown-property"},

	{sco("artifact", `"payload_bin":"AAAA"`), ""},
	{sco("artifact", `"payload_bin":"AAAA","url":"https://e.example/","hashes":{"foo":"a"}`), " exclusive"},
	{sco("artifact", `"url":"https://e.example/"`), " required"},
	{sco("artifact", `"payload_bin":"AAAA","decryption_key":"a"`), " required"},
	{sco("autonomous-system", `"number":1`), ""},
	{sco("autonomous-system", `"number":"1"`), "number type"},
	{sco("directory", `"path":"/"`), ""},
	{sco("directory", `"path":"/","path_enc":"utf-8","contains_refs":["url--`+u5+`"]`), "contains_refs[0] reference"},
	{sco("domain-name", `"value":"bücher.example"`), ""},
	{sco("domain-name", `"value":"a b.example"`), "value host"},
	{sco("domain-name", `"value":"example[.]com","defanged":true`), ""},
	{sco("domain-name", `"value":"example[.]com"`), "value host"},
	{sco("email-addr", `"value":"a.b+c@e.example","belongs_to_ref":"user-account--`+u5+`"`), ""},
	{sco("email-addr", `"value":"a@"`), "value email"},
	{sco("email-message", `"is_multipart":true,"body_multipart":[{"body":"a"}]`), ""},
	{sco("email-message", `"is_multipart":true,"body":"a"`), "body exclusive"},
	{sco("email-message", `"is_multipart":true,"body_multipart":[{"content_type":"a"}]`), "body_multipart[0] required"},
	{sco("email-message", `"is_multipart":false,"additional_header_fields":{"Reply-To":"a"}`), "additional_header_fields.Reply-To type"},
	{sco("email-message", `"is_multipart":false,"from_ref":"url--`+u5+`"`), "from_ref reference"},
	{sco("file", `"name":"a"`), ""},
	{sco("file", `"size":1`), " required"},
	{sco("file", `"name":"a","size":-1`), "size range"},
	{sco("file", `"hashes":{"MD5":"b365b9a80a06906fc9b400c06c33ff43"},"name_enc":"utf-8"`), " required"},
	{sco("file", `"name":"a","hashes":{"MD5":"xyz"}`), "hashes.MD5 hash"},
	{sco("file", `"name":"a","extensions":{"archive-ext":{"comment":"a"}}`), "extensions.archive-ext.contains_refs required"},
	{sco("file", `"name":"a","extensions":{"pdf-ext":{"x":"a"}}`), "extensions.pdf-ext required"},
	{sco("file", `"name":"a","extensions":{"raster-image-ext":{"exif_tags":{"Make":[1]}}}`), "extensions.raster-image-ext.exif_tags.Make type"},
	{sco("file", `"name":"a","extensions":{"windows-pebinary-ext":{"pe_type":"exe"}}`), "extensions.windows-pebinary-ext required"},
	{sco("ipv4-addr", `"value":"198.51.100.0/24"`), ""},
	{sco("ipv4-addr", `"value":"198.51.100.256"`), "value address"},
	{sco("ipv6-addr", `"value":"::ffff:198.51.100.1"`), ""},
	{sco("ipv6-addr", `"value":"fe80::1%eth0"`), "value address"},
	{sco("ipv6-addr", `"value":"1:2:3:4:5:6:7"`), "value address"},
	{sco("mac-addr", `"value":"d2:fb:49:24:37:18"`), ""},
	{sco("mac-addr", `"value":"D2-FB-49-24-37-18"`), "value address"},
	{sco("mutex", `"name":"a"`), ""},
	{sco("network-traffic", `"protocols":["tcp"],"dst_ref":"domain-name--`+u5+`","dst_port":65535`), ""},
	{sco("network-traffic", `"protocols":["tcp"],"dst_ref":"url--`+u5+`"`), "dst_ref reference"},
	{sco("network-traffic", `"protocols":["tcp"],"dst_ref":"domain-name--`+u5+`","ipfix":{"a":1.5}`), "ipfix.a type"},
	{sco("network-traffic", `"protocols":["tcp"],"dst_ref":"domain-name--`+u5+`","extensions":{"tcp-ext":{"a":"b"}}`), "extensions.tcp-ext required"},
	{sco("network-traffic", `"protocols":["tcp"],"dst_ref":"domain-name--`+u5+`","extensions":{"http-request-ext":{"request_method":"get","request_value":"/","request_header":{"Host":"a"}}}`), "extensions.http-request-ext.request_header.Host type"},
	{sco("network-traffic", `"protocols":["tcp"],"dst_ref":"domain-name--`+u5+`","extensions":{"socket-ext":{"address_family":"AF_ALG"}}`), "extensions.socket-ext.address_family enum"},
	{sco("network-traffic", `"protocols":["tcp"],"dst_ref":"domain-name--`+u5+`","extensions":{"socket-ext":{"address_family":"AF_INET","options":{"SO_LINGER":"1"}}}`), "extensions.socket-ext.options.SO_LINGER type"},
	{sco("process", `"pid":1`), ""},
	{sco("process", ``), " required"},
	{sco("process", `"extensions":{"windows-service-ext":{"service_type":"SERVICE_X"}}`), "extensions.windows-service-ext.service_type enum"},
	{sco("software", `"name":"a","cpe":"cpe:2.3:a:b:c:1.0\\+b:*:*:*:*:*:*:*"`), ""},
	{sco("software", `"name":"a","cpe":"cpe:2.3:a:b?:*c:1\\.0:*:*:*:*:*:*:*"`), "cpe cpe"},
	{sco("software", `"name":"a","cpe":"cpe:2.3:a:b?:*c:-:*:*:en-us:*:*:*:*"`), ""},
	{sco("software", `"name":"a","cpe":"cpe:2.3:a:b:c:-:*:*:english:*:*:*:*"`), "cpe cpe"},
	{sco("software", `"name":"a","cpe":"cpe:/a:b:c"`), "cpe cpe"},
	{sco("url", `"value":"https://e.example/%zz"`), "value uri"},
	{sco("url", `"value":"https://[2001:db8::1]:8080/a?b#c"`), ""},
	{sco("user-account", `"account_login":"a"`), ""},
	{sco("user-account", `"x_a":"a"`), " required"},
	{sco("windows-registry-key", `"key":"hkey_local_machine\\a"`), ""},
	{sco("windows-registry-key", `"key":"HKCU\\a"`), "key hive"},
	{sco("windows-registry-key", `"values":[{"data_type":"REG_X"}]`), "values[0].data_type enum"},
	{sco("x509-certificate", `"serial_number":"1"`), ""},
	{sco("x509-certificate", `"spec_version":"2.1"`), " required"},
	{sco("mutex", `"name":"a","labels":["b"]`), "labels not-applicable"},
	{sco("mutex", `"name":"a","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-02T00:00:00.000Z"`), ""},
	{sco("mutex", `"name":"a","created":"2026-01-02T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"`), " order"},
	{strings.Replace(sco("ipv4-addr", `"value":"198.51.100.3","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"`), u4, u5, 1), "id namespace"},
	{strings.Replace(sco("process", `"pid":1`), u4, u5, 1), "id uuid-version"},

	{sdo("x-own-type", `"x_a":1`), ""},
	{sdo("x-own-type", ``), " required"},
	{sco("file", `"name":"a","extensions":{"x-foo-ext":{"Bar":1}}`), "extensions.x-foo-ext.Bar name"},
	{sco("file", `"name":"a","extensions":{"X-foo-ext":{"bar":1}}`), "extensions.X-foo-ext key"},
	{`{"type":"x-own-type","id":"x-own-type--` + u5 + `","value":"a"}`, ""},
	{`{"type":"x-own-type","id":"x-own-type--` + u4 + `","value":"a","extensions":{"extension-definition--` + u4 + `":{"extension_type":"new-sco"}}}`, ""},
	{`{"type":"x-own-type","id":"x-own-type--` + u4 + `","value":"a","defanged":true}`, ""},
	{`{"type":"x-own-type","id":"x-own-type--` + u4 + `","value":"a","created":"2026-01-01T00:00:00.000Z"}`, "spec_version required"},
	{`{"type":"bundle","id":"bundle--` + u4 + `","objects":[{"type":"bundle","id":"bundle--` + u4 + `"}]}`, "objects[0] type"},
	{`{"type":"bundle","id":"bundle--` + u4 + `","objects":{"a":1}}`, "objects type"},
	{`{"type":"bundle","id":"tool--` + u4 + `"}`, "id identifier"},
	{strings.Replace(sdo("attack-pattern", `"name":"a"`), `"attack-pattern",`, `"",`, 1), "type name"},
	{`{"x_a":1}`, "type required"},
	{`{}`, " empty"},

	{sdo("event", `"status":"occurred",`+newSDO("4ca6de00-5b0d-45ef-a1dc-ea7279ea910e")), ""},
	{sdo("event", `"status":"over",`+newSDO("4ca6de00-5b0d-45ef-a1dc-ea7279ea910e")), "status enum"},
	{sdo("event", `"name":"an OpenCTI event"`), ""},
	{sdo("task", newSDO("2074a052-8be4-4932-849e-f5e7798e0030")), "outcome required"},
	{sdo("impact", `"impact_category":"external",`+newSDO("7cc33dd6-f6a1-489b-98ea-522d351d71b9")), "extensions required"},
	{sdo("incident", `"name":"a",`+extension("ef765651-680c-498d-9894-99799f2fa126", `"determination":"blocked","investigation_status":"open"`)), ""},
	{sdo("incident", `"name":"a",`+extension("ef765651-680c-498d-9894-99799f2fa126", `"determination":"guessed","investigation_status":"open"`)), "extensions.extension-definition--ef765651-680c-498d-9894-99799f2fa126.determination enum"},
	{sdo("incident", `"name":"a",`+extension("ef765651-680c-498d-9894-99799f2fa126", `"determination":"blocked","investigation_status":"open","ours":1`)), "extensions.extension-definition--ef765651-680c-498d-9894-99799f2fa126.ours unknown-property"},
	{sdo("narrative", `"description":"a",`+newSDO("ea279b3e-5c71-4632-ac08-831c66a786ba")), "name required"},
	{sdo("channel", `"name":"a",`+newSDO("ea279b3e-5c71-4632-ac08-831c66a786ba")), ""},
	{sco("media-content", `"title":"a","extensions":{"extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82":{"extension_type":"new-sco"}}`), "url required"},
	{sdo("identity", `"name":"a",`+extension("66e2492a-bbd3-4be6-88f5-cc91a017a498", `"team":"b"`)), "extensions.extension-definition--66e2492a-bbd3-4be6-88f5-cc91a017a498 required"},
}

func newSDO(uuid string) string {
	return `"extensions":{"extension-definition--` + uuid + `":{"extension_type":"new-sdo"}}`
}

func extension(uuid, properties string) string {
	return `"extensions":{"extension-definition--` + uuid + `":{"extension_type":"property-extension",` + properties + `}}`
}

func marking(properties string) string {
	return `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--` + u4 + `","created":"2026-01-01T00:00:00.000Z",` + properties + `}`
}

func TestMusts(t *testing.T) {
	types := map[string]bool{}
	for _, tt := range musts {
		o, err := ParseObject([]byte(tt.text))
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		problems := Broken(o)
		got := ""
		if len(problems) > 0 {
			got = problems[0].Path + " " + problems[0].Code
		}
		if got != tt.want {
			t.Errorf("%s\ngot  %q %v\nwant %q", tt.text, got, problems, tt.want)
		}
		if tt.want == "" {
			types[o.Type()] = true
		}
		for _, p := range Validate(o) {
			if p.Text == "" || p.Code == "" {
				t.Errorf("%s: a problem without code or text: %+v", tt.text, p)
			}
		}
	}
	for typ := range spec.types {
		if !types[typ] {
			t.Errorf("no valid sample of %s", typ)
		}
	}
}

func TestListed(t *testing.T) {
	for text, want := range map[string]bool{
		"tool uses infrastructure": true, "tool uses malware": false, "infrastructure consists-of mutex": true, "tool derived-from tool": true,
		"tool derived-from malware": false, "tool related-to malware": true, "x-a eats tool": true, "malware drops file": true,
	} {
		w := strings.Fields(text)
		if listed(w[0], w[1], w[2]) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

// An object made to cost its judge the square of its size does not.
func TestCostIsBounded(t *testing.T) {
	const n = 60_000
	var b strings.Builder
	b.WriteString(`"name":"a","granular_markings":[{"lang":"en","selectors":[`)
	for i := range n {
		fmt.Fprintf(&b, `%s"x_l.[%d]","x_%d"`, ","[:min(i, 1)], i, i)
	}
	b.WriteString(`]}],"x_l":[1`)
	b.WriteString(strings.Repeat(",1", n))
	b.WriteString(`]`)
	for i := range n {
		fmt.Fprintf(&b, `,"x_%d":null`, i)
	}
	o, err := ParseObject([]byte(sdo("tool", b.String())))
	if err != nil {
		t.Fatal(err)
	}
	problems := Validate(o)
	if len(problems) != maxProblems+1 || problems[maxProblems].Code != "more" {
		t.Errorf("%d problems", len(problems))
	}
}

func TestShoulds(t *testing.T) {
	for text, want := range map[string]string{
		sdo("threat-actor", `"name":"a","roles":["boss"]`): "roles[0] vocabulary",
		sdo("location", `"country":"xx"`):                  "country country",
		sdo("tool", `"name":"a","rank":1`):                 "rank custom",
		sdo("tool", `"name":"a","kill_chain_phases":[{"kill_chain_name":"Lockheed Martin","phase_name":"b"}]`):               "kill_chain_phases[0].kill_chain_name vocabulary",
		sdo("relationship", `"relationship_type":"eats","source_ref":"tool--`+u4+`","target_ref":"tool--`+u4+`"`):            "relationship_type vocabulary",
		sdo("indicator", `"pattern":"[file:hashes.MD5 IN ('a')]","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"`): "pattern hash",
		sco("file", `"name":"a","mime_type":"bla"`):                                                                   "mime_type media-type",
		sco("network-traffic", `"protocols":["tcp"],"src_ref":"ipv4-addr--`+u5+`","src_port":1`):                      "dst_port recommended",
		sco("file", `"name":"a","extensions":{"x-ext":{"a":"b"}}`):                                                    "extensions.x-ext extension",
		strings.Replace(marking(`"definition_type":"statement","definition":{"statement":"a"}`), "00.000Z", "00Z", 1): "created timestamp",
		strings.Replace(sdo("tool", `"name":"a"`), u4, u5, 1):                                                         "id uuid-version",
		sco("network-traffic", `"protocols":["tcp"],"src_ref":"ipv4-addr--x"`):                                        "src_ref identifier",
		sdo("tool", `"name":"a","created_by_ref":"source--`+u4+`"`):                                                   "created_by_ref reference",
	} {
		o, err := ParseObject([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if p := Broken(o); len(p) > 0 {
			t.Errorf("%s: %v is no error", text, p)
		}
		found := false
		for _, p := range Validate(o) {
			found = found || p.Warning && p.Path+" "+p.Code == want
		}
		if !found {
			t.Errorf("%s: no warning %q in %v", text, want, Validate(o))
		}
	}
}
