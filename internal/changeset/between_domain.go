package changeset

import "github.com/setopsco/setops/internal/setops"

// free destroys domains that are not to be there, and those that are in the way: a domain stays validated until it is
// destroyed, and no other app can be given it until then.
func (t turn) free(name string) []Command {
	if t.to[name] == nil {
		return nil
	}
	var commands []Command
	for _, domain := range names(t.start[name].Domains, nil) {
		if !t.keeps(name, domain) {
			commands = append(commands, &DomainDestroy{AppName: name, Domain: domain})
		}
	}
	return commands
}

// keeps reports a domain that an app has all the time from one state to the other.
func (t turn) keeps(app, domain string) bool {
	old, there := t.start[app].Domains[domain]
	is, stays := t.to[app].Domains[domain]
	return there && stays && (!old.Validated || is.Validated && !t.given[domain])
}

// claim creates domains. It is for all apps before serve is for any: what is validated is taken.
func (t turn) claim(name string) []Command {
	var commands []Command
	for _, domain := range t.domains(name) {
		if !t.keeps(name, domain) {
			commands = append(commands, &DomainCreate{AppName: name, Domain: domain, Primary: t.to[name].Domains[domain].Primary})
		}
	}
	return commands
}

// serve validates domains and sets their options.
func (t turn) serve(name string) []Command {
	var commands []Command
	for _, domain := range t.domains(name) {
		was, is := t.claimed(name, domain), t.to[name].Domains[domain]
		if is.Validated && !was.Validated {
			commands = append(commands, &DomainValidate{AppName: name, Domain: domain})
		}
		set := DomainOptionSet{
			AppName: name, Domain: domain, Primary: changed(was.Primary, is.Primary), StaticIP: changed(was.StaticIP, is.StaticIP),
			RedirectToPrimary: changed(!was.Direct, !is.Direct),
		}
		if was.Primary && !is.Primary && t.hasPrimary(name) {
			set.Primary = nil // the other one deposes it
		}
		if set.Primary != nil || set.StaticIP != nil || set.RedirectToPrimary != nil {
			commands = append(commands, &set)
		}
	}
	return commands
}

// claimed gives a domain of an app as it is before serve.
func (t turn) claimed(app, domain string) setops.Domain {
	if !t.keeps(app, domain) {
		return setops.Domain{Primary: t.to[app].Domains[domain].Primary}
	}
	return t.start[app].Domains[domain]
}

func (t turn) hasPrimary(app string) bool {
	for _, d := range t.to[app].Domains {
		if d.Primary {
			return true
		}
	}
	return false
}

// domains are the names of those that an app is to have, sorted.
func (t turn) domains(app string) []string {
	if t.to[app] == nil {
		return nil
	}
	return names(t.to[app].Domains, nil)
}
