package changeset

import (
	"github.com/setopsco/setops/internal/setops"
)

// NetworkSet changes how an app is reached; what is nil is not touched.
type NetworkSet struct {
	AppName           string           `json:"name"`
	Protocol          *setops.Protocol `json:"protocol,omitempty"`
	Public            *bool            `json:"public,omitempty"`
	Port              *int             `json:"port,omitempty"`
	HealthCheckPath   *string          `json:"health_check_path,omitempty"`
	HealthCheckStatus *string          `json:"health_check_status,omitempty"`
}

// NetworkUnset restores the defaults of the named fields.
type NetworkUnset struct {
	AppName string   `json:"name"`
	Fields  []string `json:"fields"`
}

func (c *NetworkSet) Name() string { return "app:network:set" }
func (c *NetworkSet) App() string  { return c.AppName }

func (c *NetworkSet) Arguments() map[string]any {
	return arguments(c.AppName, optional("protocol", c.Protocol), optional("public", c.Public), optional("port", c.Port),
		optional("health_check_path", c.HealthCheckPath), optional("health_check_status", c.HealthCheckStatus))
}

func (c *NetworkSet) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if c.Protocol == nil && c.Public == nil && c.Port == nil && c.HealthCheckPath == nil && c.HealthCheckStatus == nil {
			return invalid("arguments", setops.Required, "name a setting to change")
		}
		if c.Protocol != nil {
			if err := setProtocol(a, *c.Protocol); err != nil {
				return err
			}
		}
		if c.Public != nil {
			a.Network.Public = *c.Public
		}
		var broken [][]setops.Violation
		setRange(&a.Network.Port, "port", c.Port, 1, 65535, &broken)
		if c.HealthCheckPath != nil {
			broken = append(broken, setops.CheckPath("health_check_path", *c.HealthCheckPath))
			a.Network.HealthCheckPath = *c.HealthCheckPath
		}
		if c.HealthCheckStatus != nil {
			broken = append(broken, setops.CheckStatusList("health_check_status", *c.HealthCheckStatus))
			a.Network.HealthCheckStatus = *c.HealthCheckStatus
		}
		return check(append(broken, checkTCP(a))...)
	})
}

// setProtocol keeps the rule that the protocol is fixed after the app's first commit.
func setProtocol(a *setops.App, p setops.Protocol) error {
	if p != setops.HTTP && p != setops.TCP {
		return invalid("protocol", setops.NotIncluded, "a protocol is http or tcp")
	}
	if a.Committed && p != a.Network.Protocol {
		return setops.Refuse(setops.ChangesetInvalid,
			"the protocol of app %s is %s since its first commit and cannot change any more; create another app for %s",
			a.Name, a.Network.Protocol, p)
	}
	if p == setops.TCP && len(a.Domains) > 0 {
		return setops.Refuse(setops.ChangesetInvalid,
			"app %s has custom domains, and tcp carries no host name to tell them by; destroy them first with `setops domain:destroy`", a.Name)
	}
	a.Network.Protocol = p
	return nil
}

// checkTCP refuses what only a request can check: a path or a status for tcp.
func checkTCP(a *setops.App) []setops.Violation {
	if a.Network.Protocol != setops.TCP {
		return nil
	}
	const message = "a tcp app is checked by connecting to its port; only http has a path and a status"
	var broken []setops.Violation
	if a.Network.HealthCheckPath != "" {
		broken = append(broken, setops.Violation{Field: "health_check_path", Validator: setops.Invalid, Message: message})
	}
	if a.Network.HealthCheckStatus != "" {
		broken = append(broken, setops.Violation{Field: "health_check_status", Validator: setops.Invalid, Message: message})
	}
	return broken
}

func (c *NetworkUnset) Name() string { return "app:network:unset" }
func (c *NetworkUnset) App() string  { return c.AppName }
func (c *NetworkUnset) Arguments() map[string]any {
	return arguments(c.AppName, list("fields", c.Fields))
}

func (c *NetworkUnset) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		var protocol error
		err := unset(c.Fields, map[string]func(){
			"protocol":            func() { protocol = setProtocol(a, setops.HTTP) },
			"public":              func() { a.Network.Public = false },
			"port":                func() { a.Network.Port = setops.DefaultPort },
			"health_check_path":   func() { a.Network.HealthCheckPath = "" },
			"health_check_status": func() { a.Network.HealthCheckStatus = "" },
		})
		if err != nil {
			return err
		}
		return protocol
	})
}
