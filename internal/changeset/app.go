package changeset

import "github.com/setopsco/setops/internal/setops"

// AppCreate adds an app with every setting at its default.
type AppCreate struct {
	AppName string `json:"name"`
}

// AppDestroy removes an app, its releases and its settings.
type AppDestroy struct {
	AppName string `json:"name"`
}

// Name is the stored name of the command, App the app that it is about, Arguments what is shown of it; so in all files
// of this package.
func (c *AppCreate) Name() string { return "app:create" }

func (c *AppCreate) App() string               { return c.AppName }
func (c *AppCreate) Arguments() map[string]any { return map[string]any{"name": c.AppName} }

func (c *AppCreate) apply(d *draft) error {
	if err := setops.InvalidInput(setops.CodeAppNameInvalid, setops.CheckAppName(c.AppName)); err != nil {
		return err
	}
	if _, ok := d.apps[c.AppName]; ok {
		return setops.Refuse(setops.AppAlreadyExists, "there is an app %q on this stage already", c.AppName)
	}
	d.apps[c.AppName] = setops.NewApp(c.AppName)
	return nil
}

func (c *AppDestroy) Name() string              { return "app:destroy" }
func (c *AppDestroy) App() string               { return c.AppName }
func (c *AppDestroy) Arguments() map[string]any { return map[string]any{"name": c.AppName} }

func (c *AppDestroy) apply(d *draft) error {
	if err := d.edit(c.AppName, func(*setops.App) error { return nil }); err != nil {
		return err
	}
	delete(d.apps, c.AppName)
	return nil
}
