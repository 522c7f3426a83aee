package changeset

import "github.com/setopsco/setops/internal/setops"

// scaleMax is the highest number of tasks of an app.
const scaleMax = 16

// ResourceSet changes the resources of each task or their number; what is nil is not touched.
type ResourceSet struct {
	AppName string `json:"name"`
	CPU     *int   `json:"cpu,omitempty"`
	Memory  *int   `json:"memory,omitempty"`
	Scale   *int   `json:"scale,omitempty"`
}

// ResourceUnset restores the defaults of the named fields.
type ResourceUnset struct {
	AppName string   `json:"name"`
	Fields  []string `json:"fields"`
}

func (c *ResourceSet) Name() string { return "app:resource:set" }
func (c *ResourceSet) App() string  { return c.AppName }

func (c *ResourceSet) Arguments() map[string]any {
	return arguments(c.AppName, optional("cpu", c.CPU), optional("memory", c.Memory), optional("scale", c.Scale))
}

func (c *ResourceSet) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if c.CPU == nil && c.Memory == nil && c.Scale == nil {
			return invalid("arguments", setops.Required, "name a resource to change")
		}
		var broken [][]setops.Violation
		if c.CPU != nil {
			broken = append(broken, setops.CheckResource("cpu", *c.CPU))
			a.Resources.CPU = *c.CPU
		}
		if c.Memory != nil {
			broken = append(broken, setops.CheckResource("memory", *c.Memory))
			a.Resources.Memory = *c.Memory
		}
		setRange(&a.Resources.Scale, "scale", c.Scale, 0, scaleMax, &broken)
		return check(broken...)
	})
}

func (c *ResourceUnset) Name() string { return "app:resource:unset" }
func (c *ResourceUnset) App() string  { return c.AppName }
func (c *ResourceUnset) Arguments() map[string]any {
	return arguments(c.AppName, list("fields", c.Fields))
}

func (c *ResourceUnset) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		return unset(c.Fields, map[string]func(){
			"cpu":    func() { a.Resources.CPU = setops.DefaultCPU },
			"memory": func() { a.Resources.Memory = setops.DefaultMemory },
			"scale":  func() { a.Resources.Scale = setops.DefaultScale },
		})
	})
}
