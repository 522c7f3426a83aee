package changeset

import (
	"fmt"

	"github.com/setopsco/setops/internal/setops"
)

// domainsMax is the highest number of custom domains of an app.
const domainsMax = 100

// DomainCreate gives an app a custom domain. It is served once it is validated.
type DomainCreate struct {
	AppName string `json:"name"`
	Domain  string `json:"domain"`
	Primary bool   `json:"primary,omitempty"`
}

// DomainDestroy takes a custom domain from an app.
type DomainDestroy struct {
	AppName string `json:"name"`
	Domain  string `json:"domain"`
}

// DomainValidate marks a custom domain as validated. That its record is in DNS is looked up when it is staged.
type DomainValidate struct {
	AppName string `json:"name"`
	Domain  string `json:"domain"`
}

// canonical is called by Decode: commands are kept with their domain as setops.CanonicalDomain writes it.
func (c *DomainCreate) canonical()   { c.Domain = setops.CanonicalDomain(c.Domain) }
func (c *DomainDestroy) canonical()  { c.Domain = setops.CanonicalDomain(c.Domain) }
func (c *DomainValidate) canonical() { c.Domain = setops.CanonicalDomain(c.Domain) }

func (c *DomainCreate) Name() string { return "app:domain:create" }
func (c *DomainCreate) App() string  { return c.AppName }

func (c *DomainCreate) Arguments() map[string]any {
	m := map[string]any{"name": c.AppName, "domain": c.Domain}
	if c.Primary {
		m["primary"] = true
	}
	return m
}

func (c *DomainCreate) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if err := check(setops.CheckDomain(c.Domain)); err != nil {
			return err
		}
		if a.Network.Protocol == setops.TCP {
			return setops.Refuse(setops.ChangesetInvalid,
				"app %s speaks tcp, which carries no host name: it is reached at a port of its own, which `setops --app %s domain` shows, and has no custom domains",
				a.Name, a.Name)
		}
		if _, there := a.Domains[c.Domain]; there {
			return invalid("domain", setops.Taken, fmt.Sprintf("app %s has the domain %s already", a.Name, c.Domain))
		}
		if len(a.Domains) >= domainsMax {
			return invalid("domain", setops.TooLong, fmt.Sprintf("an app has at most %d domains; a wildcard may take the place of many", domainsMax))
		}
		if err := d.unclaimed(c.AppName, c.Domain); err != nil {
			return err
		}
		if c.Primary {
			if err := check(primaryAllowed(c.Domain)); err != nil {
				return err
			}
			deposePrimary(a)
		}
		put(a, c.Domain, setops.Domain{Primary: c.Primary})
		return nil
	})
}

func (c *DomainDestroy) Name() string { return "app:domain:destroy" }
func (c *DomainDestroy) App() string  { return c.AppName }

func (c *DomainDestroy) Arguments() map[string]any {
	return map[string]any{"name": c.AppName, "domain": c.Domain}
}

func (c *DomainDestroy) apply(d *draft) error {
	return d.editDomain(c.AppName, c.Domain, func(a *setops.App, _ setops.Domain) error {
		delete(a.Domains, c.Domain)
		return nil
	})
}

func (c *DomainValidate) Name() string { return "app:domain:validate" }
func (c *DomainValidate) App() string  { return c.AppName }

func (c *DomainValidate) Arguments() map[string]any {
	return map[string]any{"name": c.AppName, "domain": c.Domain}
}

func (c *DomainValidate) apply(d *draft) error {
	return d.editDomain(c.AppName, c.Domain, func(a *setops.App, domain setops.Domain) error {
		if err := d.unclaimed(c.AppName, c.Domain); err != nil {
			return err
		}
		domain.Validated = true
		a.Domains[c.Domain] = domain
		return nil
	})
}

// editDomain changes an app that has the domain.
func (d *draft) editDomain(app, domain string, f func(*setops.App, setops.Domain) error) error {
	return d.edit(app, func(a *setops.App) error {
		was, ok := a.Domains[domain]
		if !ok {
			return invalid("domain", setops.NotFound,
				fmt.Sprintf("app %s has no custom domain %q; `setops --app %s domain` lists what it has", a.Name, domain, a.Name))
		}
		return f(a, was)
	})
}

// unclaimed reports a domain that another app of the stage has validated. Of other stages only package domain knows.
func (d *draft) unclaimed(app, domain string) error {
	for name, other := range d.apps {
		if name != app && other.Domains[domain].Validated {
			return setops.DomainTaken(domain)
		}
	}
	return nil
}

// primaryAllowed reports a domain that others cannot be redirected to.
func primaryAllowed(domain string) []setops.Violation {
	if !setops.IsWildcard(domain) {
		return nil
	}
	return []setops.Violation{{
		Field: "primary", Validator: setops.Invalid, Message: "other domains cannot be redirected to a wildcard; make a whole name the primary domain",
	}}
}

// deposePrimary leaves an app without a primary domain. Nothing may fail behind it.
func deposePrimary(a *setops.App) {
	for name, domain := range a.Domains {
		domain.Primary = false
		a.Domains[name] = domain
	}
}

func put(a *setops.App, name string, domain setops.Domain) {
	if a.Domains == nil {
		a.Domains = map[string]setops.Domain{}
	}
	a.Domains[name] = domain
}
