package web

import (
	"net/http"
	"strings"
)

// contentSecurityPolicy has no connect-src: no script of ours can send
// anything; what leaves a page leaves it by a form that a person sends.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// videoPolicy is that of the page with the picture chooser, which takes images
// from a video that the person chose. A blob: address is a file that the page
// itself was given: it names no server, so nothing can be loaded from or told to
// one by it.
const videoPolicy = contentSecurityPolicy + "; media-src blob:"

// deniedFeatures are all refused to every page, ours included.
var deniedFeatures = []string{
	"accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "encrypted-media",
	"fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer",
	"microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get", "screen-wake-lock",
	"serial", "storage-access", "usb", "web-share", "window-management", "xr-spatial-tracking",
}

var permissionsPolicy = strings.Join(deniedFeatures, "=(), ") + "=()"

// referrerPolicy is not no-referrer: with that one, browsers say "Origin: null"
// when they post a form, so that those that do not send Sec-Fetch-Site (before
// Safari 16.4; any over plain http) could post none. Other sites learn nothing
// either way.
const referrerPolicy = "same-origin"

// headers sets the security headers of every answer. Static files relax one of
// them, Cache-Control, and the page with the picture chooser another, by
// videoPolicy.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("Referrer-Policy", referrerPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", permissionsPolicy)
		next.ServeHTTP(w, r)
	})
}
