package rempart

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// What an address says beyond being one ([CleanAddress]).

// WholeSite tells whether an address names a site and no page of it, such as
// https://exemple.test. DSA article 16(2)(b) wants the exact location, "such as
// the exact URL": of a site that was made to show one person its address is just
// that. So no intake refuses one, neither the form, the API nor a report; who
// checks a notice with "rempart notice check" is given a hint.
func WholeSite(address string) bool {
	clean, err := CleanAddress(address)
	if err != nil {
		return false
	}
	u, err := url.Parse(clean)
	return err == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

// OwnAddress tells whether an address is of the machine or network of whoever
// wrote it, such as http://localhost/x or http://192.168.0.2/x: nobody whom it is
// told to can open it. Names are not resolved.
func OwnAddress(address string) bool {
	clean, err := CleanAddress(address)
	if err != nil {
		return false
	}
	u, err := url.Parse(clean)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761, section 6.3
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified())
}

// Same tells whether two items, whatever their identifiers, are about the same
// content: the same address with the same fingerprints. A page may show several
// pictures, each an item.
func (i NoticeItem) Same(other NoticeItem) bool {
	return i.Address != "" && i.Address == other.Address && slices.Equal(i.Fingerprints, other.Fingerprints)
}
