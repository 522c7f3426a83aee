package changeset_test

import (
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

func scheduled(names ...string) setops.Spec {
	s := stage()
	s.Apps["web"].Schedules = map[string]setops.Schedule{}
	for _, name := range names {
		s.Apps["web"].Schedules[name] = setops.Schedule{Cron: "0 3 * * *", Command: []string{"rake", "clean up"}, Timeout: 60}
	}
	return s
}

func TestASchedulesRulesAreKept(t *testing.T) {
	for name, test := range map[string]struct {
		command changeset.Command
		want    string // part of the problem; empty: it applies
	}{
		"created":           {&changeset.ScheduleCreate{AppName: "web", Schedule: "hourly", Cron: "0 * * * *", Command: []string{"true"}}, ""},
		"there already":     {&changeset.ScheduleCreate{AppName: "web", Schedule: "nightly", Cron: "0 * * * *", Command: []string{"true"}}, "already"},
		"no time":           {&changeset.ScheduleCreate{AppName: "web", Schedule: "hourly", Command: []string{"true"}}, "say when it runs"},
		"no command":        {&changeset.ScheduleCreate{AppName: "web", Schedule: "hourly", Cron: "0 * * * *"}, "a program"},
		"a day and more":    {&changeset.ScheduleCreate{AppName: "web", Schedule: "hourly", Cron: "0 * * * *", Command: []string{"true"}, Timeout: new(86401)}, "between 1 and 86400"},
		"a name":            {&changeset.ScheduleCreate{AppName: "web", Schedule: "Hourly", Cron: "0 * * * *", Command: []string{"true"}}, "lower-case"},
		"no app":            {&changeset.ScheduleCreate{AppName: "none", Schedule: "hourly", Cron: "0 * * * *", Command: []string{"true"}}, `no app "none"`},
		"destroyed":         {&changeset.ScheduleDestroy{AppName: "web", Schedule: "nightly"}, ""},
		"destroyed twice":   {&changeset.ScheduleDestroy{AppName: "web", Schedule: "hourly"}, "has no schedule"},
		"logs for a year":   {&changeset.LogSet{Retention: new(365)}, ""},
		"logs for too long": {&changeset.LogSet{Retention: new(366)}, "between 1 and 365"},
		"logs for nothing":  {&changeset.LogSet{}, "name a setting"},
		"logs unset":        {&changeset.LogUnset{Fields: []string{"retention"}}, ""},
		"colour unset":      {&changeset.LogUnset{Fields: []string{"colour"}}, "cannot be unset"},
	} {
		_, problems := changeset.Fold(scheduled("nightly"), []changeset.Command{test.command})
		switch {
		case test.want == "" && len(problems) > 0:
			t.Errorf("%s: %v", name, problems)
		case test.want != "" && (len(problems) == 0 || !strings.Contains(problems[0].Error(), test.want)):
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestAChangedScheduleIsMadeAnewAndShownValueByValue(t *testing.T) {
	from, to := scheduled("nightly", "gone"), scheduled("nightly", "new")
	to.Apps["web"].Schedules["nightly"] = setops.Schedule{Cron: "0 4 * * *", Command: []string{"rake", "clean up"}, Timeout: 60}
	to.LogRetention = 30
	want := `log:set {"retention":30}
app:schedule:destroy {"name":"web","schedule":"gone"}
app:schedule:destroy {"name":"web","schedule":"nightly"}
app:schedule:create {"name":"web","schedule":"new","cron":"0 3 * * *","command":["rake","clean up"],"timeout":60}
app:schedule:create {"name":"web","schedule":"nightly","cron":"0 4 * * *","command":["rake","clean up"],"timeout":60}
`
	commands := changeset.Between(from, to)
	if got := written(commands); got != want {
		t.Errorf("got\n%s", got)
	}
	if got, want := settings(t, folded(t, from, commands)), settings(t, to); got != want {
		t.Errorf("they make\n%s\nnot\n%s", got, want)
	}
	if got := shown(changeset.Compare(from, to)); got != `web changed 
  schedules.gone.cron: 0 3 * * * -> -
  schedules.gone.command: [rake 'clean up'] -> -
  schedules.gone.timeout: 60 -> -
  schedules.new.cron: - -> 0 3 * * *
  schedules.new.command: - -> [rake 'clean up']
  schedules.new.timeout: - -> 60
  schedules.nightly.cron: 0 3 * * * -> 0 4 * * *
` {
		t.Errorf("shown as\n%s", got)
	}
	values := changeset.CompareStage(from, to)
	if len(values) != 1 || values[0].Field != "log_retention" || *values[0].Old != "14" || *values[0].New != "30" {
		t.Errorf("%+v", values)
	}
}

func TestALaterChangeOfLogsOrOfAScheduleIsAConflict(t *testing.T) {
	was, made, now := scheduled("nightly"), scheduled(), scheduled("nightly")
	made.LogRetention, now.LogRetention = 30, 60
	now.Apps["web"].Schedules["nightly"] = setops.Schedule{Cron: "0 5 * * *", Command: []string{"true"}, Timeout: 60}
	target, conflicts := changeset.Inverse(was, made, now)
	if got := listed(conflicts); got != "web schedules.nightly: a later commit changed it again\n log_retention: a later commit changed it again" {
		t.Errorf("conflicts: %q", got)
	}
	if target.LogRetention != 0 || target.Apps["web"].Schedules["nightly"].Cron != "0 3 * * *" {
		t.Errorf("%+v", target)
	}
	if target, conflicts := changeset.Inverse(was, made, made); len(conflicts) > 0 || settings(t, target) != settings(t, was) {
		t.Errorf("%s, %v", settings(t, target), conflicts)
	}
}
