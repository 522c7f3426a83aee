package changeset

import "github.com/setopsco/setops/internal/setops"

// LogSet says for how many days the logs of the stage are kept.
type LogSet struct {
	Retention *int `json:"retention,omitempty"`
}

// LogUnset restores the defaults of the named fields; there is retention.
type LogUnset struct {
	Fields []string `json:"fields"`
}

func (c *LogSet) Name() string              { return "log:set" }
func (c *LogSet) App() string               { return "" }
func (c *LogSet) Arguments() map[string]any { return arguments("", optional("retention", c.Retention)) }

func (c *LogSet) apply(d *draft) error {
	if c.Retention == nil {
		return invalid("arguments", setops.Required, "name a setting to change")
	}
	if err := check(setops.CheckRange("retention", *c.Retention, 1, setops.LogRetentionMax)); err != nil {
		return err
	}
	d.logRetention = *c.Retention
	return nil
}

func (c *LogUnset) Name() string              { return "log:unset" }
func (c *LogUnset) App() string               { return "" }
func (c *LogUnset) Arguments() map[string]any { return arguments("", list("fields", c.Fields)) }

func (c *LogUnset) apply(d *draft) error {
	return unset(c.Fields, map[string]func(){"retention": func() { d.logRetention = 0 }})
}

// logBetween is empty where both are the same, be it set or not.
func logBetween(was, is int) []Command {
	switch {
	case was == is:
		return nil
	case is == 0:
		return []Command{&LogUnset{Fields: []string{"retention"}}}
	}
	return []Command{&LogSet{Retention: &is}}
}
