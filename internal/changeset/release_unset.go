package changeset

import "github.com/setopsco/setops/internal/setops"

// ReleaseDeactivate leaves an app without an active release, as it was before its first one: nothing of it runs. It is
// what takes back the first activation.
type ReleaseDeactivate struct {
	AppName string `json:"name"`
}

func (c *ReleaseDeactivate) Name() string              { return "app:release:unset" }
func (c *ReleaseDeactivate) App() string               { return c.AppName }
func (c *ReleaseDeactivate) Arguments() map[string]any { return map[string]any{"name": c.AppName} }

func (c *ReleaseDeactivate) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if a.ActiveRelease == 0 {
			return setops.Refuse(setops.AppHasNoActiveRelease, "app %s has no active release", a.Name)
		}
		a.ActiveRelease = 0
		return nil
	})
}
