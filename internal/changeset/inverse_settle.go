package changeset

import (
	"github.com/setopsco/setops/internal/setops"
)

// settle makes an app that was set back one that can be: value by value its domains may have become what no commands make.
func (v *inversion) settle(name string) {
	target := v.target[name]
	if target == nil {
		return
	}
	for _, domain := range names(target.Domains, nil) {
		if v.taken(name, domain) {
			v.conflict(name, "domains."+domain, "another app has validated it meanwhile; it is left as it is")
			v.leave(target, domain)
		}
	}
	v.settlePrimary(target)
}

// settleTCP drops what only http has, where the protocol is tcp by this or by a later commit.
func (v *inversion) settleTCP(target *setops.App) {
	if target.Network.Protocol != setops.TCP {
		return
	}
	const message = "the app speaks tcp then, which has none"
	if target.Network.HealthCheckPath != "" {
		v.conflict(target.Name, "network.health_check.path", message)
	}
	if target.Network.HealthCheckStatus != "" {
		v.conflict(target.Name, "network.health_check.status", message)
	}
	for _, domain := range names(target.Domains, nil) {
		v.conflict(target.Name, "domains."+domain, message)
	}
	target.Network.HealthCheckPath, target.Network.HealthCheckStatus, target.Domains = "", "", nil
}

// taken reports a domain that was set back and cannot be: another app has validated it, and had not before the commit.
func (v *inversion) taken(app, domain string) bool {
	set := v.target[app].Domains[domain]
	if v.now[app] != nil {
		if present, there := v.now[app].Domains[domain]; there && (present.Validated || !set.Validated) {
			return false
		}
	}
	for name, other := range v.target {
		if name == app || !other.Domains[domain].Validated {
			continue
		}
		if was := v.was[name]; was == nil || !was.Domains[domain].Validated {
			return true
		}
	}
	return false
}

func (v *inversion) leave(target *setops.App, domain string) {
	delete(target.Domains, domain)
	if now := v.now[target.Name]; now != nil {
		if present, there := now.Domains[domain]; there {
			target.Domains[domain] = present
		}
	}
}

// settlePrimary keeps the primary domain of before the commit, where there is one besides that of now.
func (v *inversion) settlePrimary(target *setops.App) {
	var primary []string
	for _, domain := range names(target.Domains, nil) {
		if target.Domains[domain].Primary {
			primary = append(primary, domain)
		}
	}
	if len(primary) < 2 {
		return
	}
	for _, domain := range primary {
		d := target.Domains[domain]
		if v.was[target.Name].Domains[domain].Primary {
			continue
		}
		v.conflict(target.Name, "domains."+domain, "a later commit made it the primary domain; that is the one of before again")
		d.Primary = false
		target.Domains[domain] = d
	}
}
