package changeset

import "github.com/setopsco/setops/internal/setops"

// DomainOptionSet changes options of a custom domain; what is nil is not touched.
type DomainOptionSet struct {
	AppName  string `json:"name"`
	Domain   string `json:"domain"`
	Primary  *bool  `json:"primary,omitempty"`
	StaticIP *bool  `json:"static_ip,omitempty"` // whether the server has addresses to show is known to package domain

	RedirectToPrimary *bool `json:"redirect_to_primary,omitempty"`
}

// DomainOptionUnset restores the defaults of the named options.
type DomainOptionUnset struct {
	AppName string   `json:"name"`
	Domain  string   `json:"domain"`
	Fields  []string `json:"fields"`
}

func (c *DomainOptionSet) canonical()   { c.Domain = setops.CanonicalDomain(c.Domain) }
func (c *DomainOptionUnset) canonical() { c.Domain = setops.CanonicalDomain(c.Domain) }

func (c *DomainOptionSet) Name() string { return "app:domain:option:set" }
func (c *DomainOptionSet) App() string  { return c.AppName }

func (c *DomainOptionSet) Arguments() map[string]any {
	return arguments(c.AppName, argument{"domain", c.Domain}, optional("primary", c.Primary), optional("static_ip", c.StaticIP),
		optional("redirect_to_primary", c.RedirectToPrimary))
}

func (c *DomainOptionSet) apply(d *draft) error {
	return d.editDomain(c.AppName, c.Domain, func(a *setops.App, domain setops.Domain) error {
		if c.Primary == nil && c.StaticIP == nil && c.RedirectToPrimary == nil {
			return invalid("arguments", setops.Required, "name an option to change")
		}
		if c.StaticIP != nil {
			domain.StaticIP = *c.StaticIP
		}
		if c.RedirectToPrimary != nil {
			domain.Direct = !*c.RedirectToPrimary
		}
		if c.Primary != nil && *c.Primary {
			if err := check(primaryAllowed(c.Domain)); err != nil {
				return err
			}
			deposePrimary(a)
		}
		if c.Primary != nil {
			domain.Primary = *c.Primary
		}
		a.Domains[c.Domain] = domain
		return nil
	})
}

func (c *DomainOptionUnset) Name() string { return "app:domain:option:unset" }
func (c *DomainOptionUnset) App() string  { return c.AppName }

func (c *DomainOptionUnset) Arguments() map[string]any {
	return arguments(c.AppName, argument{"domain", c.Domain}, list("fields", c.Fields))
}

func (c *DomainOptionUnset) apply(d *draft) error {
	return d.editDomain(c.AppName, c.Domain, func(a *setops.App, domain setops.Domain) error {
		err := unset(c.Fields, map[string]func(){
			"primary":   func() { domain.Primary = false },
			"static_ip": func() { domain.StaticIP = false },

			"redirect_to_primary": func() { domain.Direct = false },
		})
		if err != nil {
			return err
		}
		a.Domains[c.Domain] = domain
		return nil
	})
}
