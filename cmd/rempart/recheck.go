package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/media"
	"rempart/recheck"
)

// recheckFlags say whether reported addresses are asked if they still answer.
type recheckFlags struct {
	Rechecks string `help:"Hub: ask addresses that were notified whether they still answer (their status only): off; adults; or all, which takes in cases that may be a minor's, by HEAD alone, and for which advice should be taken first." enum:"off,adults,all" default:"off" env:"REMPART_RECHECKS"`
	Proxy    string `name:"recheck-proxy" help:"Hub: proxy through which they are asked, http://… or socks5://…; it resolves the names, and must itself refuse what is not on the public network." env:"REMPART_RECHECK_PROXY"`
}

// rechecks returns what the flags ask for.
func (c recheckFlags) rechecks() (flow.Rechecks, error) {
	u, err := c.proxy()
	if err != nil || c.Rechecks == "off" || c.Rechecks == "" {
		return flow.Rechecks{}, err
	}
	return flow.Rechecks{Checker: recheck.New(recheck.Options{Proxy: u}), Minors: c.Rechecks == "all"}, nil
}

func (c recheckFlags) proxy() (*url.URL, error) {
	if c.Proxy == "" {
		return nil, nil
	}
	u, err := url.Parse(c.Proxy)
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return nil, hinted{errors.New("-recheck-proxy is not the address of a proxy"), "give it as http://proxy.exemple.test:3128 or socks5://127.0.0.1:9050"}
	}
	return u, nil
}

// doctor says whether re-checks are on and would work. No reported address is
// asked: without a proxy it only tries that this machine's own is refused.
func (c recheckFlags) doctor(ctx context.Context) media.Finding {
	f := media.Finding{Program: "re-checks", Found: true, Version: "off, as no address is asked unless the operator says so (-rechecks)"}
	r, err := c.rechecks()
	switch {
	case err != nil:
		return media.Finding{Program: f.Program, Means: err.Error()}
	case r.Checker == nil:
		return f
	}
	f.Version = "on, for cases of adults"
	if r.Minors {
		f.Version = "on, for all cases; those that may be a minor's by HEAD alone"
	}
	if u, _ := c.proxy(); u != nil {
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		if port == "" {
			port = "1080"
		}
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
		if err != nil {
			return media.Finding{Program: f.Program, Means: fmt.Sprintf("the proxy %s does not accept connections: nothing can be re-checked", u.Host)}
		}
		conn.Close()
		f.Version += ", through a proxy, which resolves names and must refuse what is not public"
		return f
	}
	if got := r.Checker.Check(ctx, "http://127.0.0.1/", true); got.Reach != rempart.ReachRefused {
		return media.Finding{Program: f.Program, Means: "an address of this machine is not refused: leave re-checks off and report this"}
	}
	return f
}
