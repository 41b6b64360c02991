package rempart

import "strings"

// Entries that were taken in from elsewhere stand in the lists under a source: who
// they are from. They match as others do, are never shared further, and stopping
// an upload by one tells nobody but the ledger.
const sourcePrefix = "source:"

// SourceID returns what stands for a source where else the identifier of a peer
// does. A name has 1 to 40 characters of a-z, 0-9 and -.
func SourceID(name string) (string, error) {
	ok := name != "" && len(name) <= 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	if !ok {
		return "", &Error{Kind: Invalid, Field: "source", Code: "source.name", Public: "The name of a source has 1 to 40 characters of a-z, 0-9 and -, such as partner-exemple."}
	}
	return sourcePrefix + name, nil
}

// IsSource tells whether an identifier is that of a source, and not of a peer.
func IsSource(id string) bool { return strings.HasPrefix(id, sourcePrefix) }
