package definition

import (
	"strings"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// Commands gives the commands from one state of a stage to the one that a definition makes of it, and that state as they make
// it. Errors: as Refuse, with what the commands themselves refuse.
func (d *Document) Commands(from, to setops.Spec) ([]changeset.Command, setops.Spec, error) {
	commands := changeset.Between(from, to)
	after, found := changeset.Fold(from, commands)
	var problems []Problem
	unmade := map[string]bool{}
	for _, p := range found {
		if _, ok := p.Command.(*changeset.AppCreate); ok {
			unmade[p.Command.App()] = true
		} else if unmade[p.Command.App()] {
			continue // it is about an app that could not be made
		}
		problems = append(problems, d.problems(p)...)
	}
	return commands, after, Refuse(d.File, problems)
}

// Refusal is the error about a command that does not apply, for a reason that Commands does not know.
func (d *Document) Refusal(p changeset.Problem) error { return Refuse(d.File, d.problems(p)) }

// problems says where in the file it stands what a command refuses.
func (d *Document) problems(p changeset.Problem) []Problem {
	var all []Problem
	for _, v := range p.Err.Violations {
		field := fieldOf(p.Command, v.Field)
		all = append(all, Problem{Place: d.At(field), Field: field, Validator: v.Validator, Message: v.Message})
	}
	if len(all) == 0 {
		field := fieldOf(p.Command, "")
		all = append(all, Problem{
			Place: d.At(field), Field: field, Validator: setops.Invalid, Message: p.Err.Message,
			Later: p.Err.Code == setops.CodeCurrentlyNotSupported,
		})
	}
	return all
}

// fieldOf is where a definition has what a field of a command is about.
func fieldOf(c changeset.Command, field string) string {
	if _, ok := c.(*changeset.LogSet); ok {
		return "log_retention"
	}
	app := "apps." + c.App()
	below := func(parts ...string) string {
		return strings.TrimSuffix(app+"."+strings.Join(parts, "."), ".")
	}
	switch c := c.(type) {
	case *changeset.ContainerSet:
		if field == "start_timeout" || field == "stop_timeout" {
			return below("container", "timeouts", field)
		}
		return below("container", field)
	case *changeset.NetworkSet:
		switch {
		case field == "port":
			return below("network", "ports")
		case strings.HasPrefix(field, "health_check_"):
			return below("network", "health_check", strings.TrimPrefix(field, "health_check_"))
		}
		return below("network", field)
	case *changeset.ResourceSet:
		return below("resources", field)
	case *changeset.EnvSet:
		if field == "value" {
			return below("env", c.Key, field)
		}
		return below("env", c.Key)
	case *changeset.ScheduleCreate:
		if field == "schedule" {
			field = ""
		}
		return below("schedule", c.Schedule, field)
	case *changeset.ReleaseCreate:
		return below("image_tag")
	case *changeset.DomainCreate:
		return domainField(app, c.Domain, field)
	case *changeset.DomainValidate:
		return domainField(app, c.Domain, "validated")
	case *changeset.DomainOptionSet:
		return domainField(app, c.Domain, field)
	}
	return app
}

// domainField is inexact where the file has the domain in another spelling: At gives the place of all domains then.
func domainField(app, domain, field string) string {
	name := app + ".custom_domains." + domain
	if field == "primary" || field == "static_ip" || field == "redirect_to_primary" || field == "validated" {
		return name + "." + field
	}
	return name
}
