package exchange

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// The form of an address, as the database's framework asks for it: Laravel's
// rule "url" (Illuminate\Support\Str::isUrl, read 2026-11-22), which follows
// Symfony's. The host is a name of several labels, one label of a-z, 0-9, "-"
// and "_", or an IP address.
var (
	sorAddress = regexp.MustCompile(`(?i)^([a-z][a-z0-9.+-]*)://` +
		`(?:(?:(?:[_.\pL\pN-]|%[0-9a-f]{2})+:)?(?:[_.\pL\pN-]|%[0-9a-f]{2})+@)?` +
		`((?:[\pL\pN\pS\pM_-]+\.)+(?:xn--[a-z0-9-]+|[\pL\pN\pM]+)\.?|[a-z0-9_-]+\.?|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])` +
		`(?::[0-9]+)?` +
		`(?:/(?:[\pL\pN._~!$&'()*+,;=:@-]|%[0-9a-f]{2})*)*` +
		`(?:\?(?:[\pL\pN._~!$&'\[\]()*+,;=:@/?-]|%[0-9a-f]{2})*)?` +
		`(?:#(?:[\pL\pN._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?$`)

	// sorSchemes is the schemes that an address of a law or of terms can have.
	// Laravel's list has some 250 more, of applications and devices, which name
	// no page.
	sorSchemes = strings.Fields("http https ftp sftp file data urn doi example gopher ldap ldaps mailto news tel ws wss")
)

// isSorURL tells whether the database would take s as an address.
func isSorURL(s string) bool {
	m := sorAddress.FindStringSubmatch(s)
	if m == nil || !slices.Contains(sorSchemes, strings.ToLower(m[1])) {
		return false
	}
	if host := m[2]; strings.HasPrefix(host, "[") {
		_, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return err == nil
	}
	return true
}
