package stix

// Extension definitions fixed by this project. Their ids never change.
const (
	// LabelExtension carries a confidentiality label inside the extensions of
	// a marking-definition: property "stanag4774", the XML text of an
	// originatorConfidentialityLabel (STANAG 4774).
	LabelExtension = "extension-definition--60e33e71-22ae-447d-a9ee-488846205169"
	// DependencyExtension, ScenarioExtension and PlanExtension carry the
	// objects of the economic picture.
	DependencyExtension = "extension-definition--d1546025-7bd6-4e67-bc0b-bfaff16b5ac2"
	ScenarioExtension   = "extension-definition--7a5d068e-5415-4301-b808-6aa73caa363a"
	PlanExtension       = "extension-definition--8ecb21da-003a-4755-9542-b1f8c56f3d13"
)

// Marking definitions of the Traffic Light Protocol, version 1 (STIX 7.2.1.4)
// and version 2 (extension TLP2Extension). Compare whole ids: public code
// carries invented ones with the same beginning.
const (
	TLPWhite  = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
	TLP1Green = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
	TLP1Amber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
	TLP1Red   = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"

	TLPClear       = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
	TLPGreen       = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
	TLPAmber       = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
	TLPAmberStrict = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
	TLPRed         = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"

	TLP2Extension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
)
