package changeset

import "github.com/setopsco/setops/internal/setops"

// envTotalMax is the longest environment of an app, in bytes of keys and sealed values: less than the 2 MiB that Linux
// takes of a program's arguments and environment together.
const envTotalMax = 1536 << 10

// envCountMax is the highest number of variables of an app.
const envCountMax = 1000

// EnvSet sets one variable. Its value is sealed before the command is made. A variable that is secret stays so until it is unset.
type EnvSet struct {
	AppName     string        `json:"name"`
	Key         string        `json:"key"`
	Value       setops.Sealed `json:"value"`
	Description string        `json:"description,omitempty"`
	Secret      bool          `json:"secret,omitempty"`
}

// EnvUnset removes one variable.
type EnvUnset struct {
	AppName string `json:"name"`
	Key     string `json:"key"`
}

func (c *EnvSet) Name() string { return "app:env:set" }
func (c *EnvSet) App() string  { return c.AppName }

func (c *EnvSet) Arguments() map[string]any {
	m := map[string]any{"name": c.AppName, "key": c.Key}
	if c.Secret {
		m["secret"] = true
	} else {
		m["value"] = c.Value.String()
	}
	if c.Description != "" {
		m["description"] = c.Description
	}
	return m
}

func (c *EnvSet) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		broken := setops.CheckEnvKey(c.Key)
		if len(c.Key)+len(c.Value)+envLength(a, c.Key) > envTotalMax {
			broken = append(broken, setops.Violation{
				Field: "value", Validator: setops.TooLong, Message: "the environment of an app has about 1 MiB at most, all variables together",
			})
		}
		if _, there := a.Env[c.Key]; !there && len(a.Env) >= envCountMax {
			broken = append(broken, setops.Violation{Field: "key", Validator: setops.TooLong, Message: "an app has at most 1000 variables"})
		}
		if err := check(broken); err != nil {
			return err
		}
		description := c.Description
		if description == "" {
			description = a.Env[c.Key].Description
		}
		if a.Env == nil {
			a.Env = map[string]setops.EnvVar{}
		}
		a.Env[c.Key] = setops.EnvVar{Value: c.Value, Description: description, Secret: c.Secret || a.Env[c.Key].Secret}
		return nil
	})
}

// envLength adds up the variables of an app but one.
func envLength(a *setops.App, except string) int {
	n := 0
	for key, v := range a.Env {
		if key != except {
			n += len(key) + len(v.Value)
		}
	}
	return n
}

func (c *EnvUnset) Name() string { return "app:env:unset" }
func (c *EnvUnset) App() string  { return c.AppName }

func (c *EnvUnset) Arguments() map[string]any {
	return map[string]any{"name": c.AppName, "key": c.Key}
}

func (c *EnvUnset) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if _, ok := a.Env[c.Key]; !ok {
			return invalid("key", setops.NotFound, "app "+a.Name+" has no variable "+c.Key)
		}
		delete(a.Env, c.Key)
		return nil
	})
}
