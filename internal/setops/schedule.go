package setops

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is a command of an app that is run again and again, each time as a one-off task of the active release.
type Schedule struct {
	Cron    string   `json:"cron"`    // five fields, in UTC: see CheckCron
	Command []string `json:"command"` // takes the place of the app's command
	Timeout int      `json:"timeout"` // seconds that a run may take before it is stopped
}

// Limits of schedules. The longest timeout is that of any one-off task.
const (
	ScheduleNameMin, ScheduleNameMax = 1, 32
	SchedulesMax                     = 50 // of an app

	DefaultScheduleTimeout = 60 * 60      // seconds
	ScheduleTimeoutMax     = 24 * 60 * 60 // seconds
)

// CheckScheduleName reports a name of a schedule that is not `[a-z][a-z0-9-]*` of 1 to 32 characters.
func CheckScheduleName(name string) []Violation {
	broken := checkName(name, dashedName, ScheduleNameMin, ScheduleNameMax, InvalidFormat,
		"a schedule's name is 1 to 32 lower-case letters, digits and dashes and starts with a letter")
	for i := range broken {
		broken[i].Field = "schedule"
	}
	return broken
}

// CheckCron reports a text that is not five fields as cron has them (minute, hour, day of the month, month, day of the week),
// and one whose time never comes, as the 30th of February. Times are UTC: a time zone cannot be given.
func CheckCron(text string) []Violation {
	v := Violation{Field: "cron", Validator: InvalidFormat}
	plan, err := parseCron(text)
	switch {
	case strings.TrimSpace(text) == "":
		v.Validator, v.Message = Required, `say when it runs, as "0 3 * * *": minute, hour, day of the month, month, day of the week, in UTC`
	case err != nil:
		v.Message = fmt.Sprintf(`%q does not say when: %s; write five fields as "0 3 * * *": minute, hour, day of the month, month, day of the week, in UTC`, text, err)
	case plan.Next(time.Unix(0, 0).UTC()).IsZero():
		v.Validator, v.Message = Invalid, fmt.Sprintf("%q never comes", text)
	default:
		return nil
	}
	return []Violation{v}
}

// Check reports what is wrong with a schedule.
func (s Schedule) Check() []Violation {
	broken := append(CheckCron(s.Cron), CheckArgv("command", s.Command)...)
	return append(broken, CheckRange("timeout", s.Timeout, 1, ScheduleTimeoutMax)...)
}

// Next gives the first time behind after at which the schedule is due, in UTC; zero where there is none.
func (s Schedule) Next(after time.Time) time.Time {
	plan, err := parseCron(s.Cron)
	if err != nil {
		return time.Time{}
	}
	return plan.Next(after.UTC())
}

// Limit is how long one run may take.
func (s Schedule) Limit() time.Duration { return time.Duration(s.Timeout) * time.Second }

const cronFields = cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow

// parseCron takes five fields and nothing else. The parser would take a time zone before them, and stumbles over a broken one.
func parseCron(text string) (cron.Schedule, error) {
	if n := len(strings.Fields(text)); n != 5 {
		return nil, fmt.Errorf("it has %d of five fields", n)
	}
	if strings.Contains(text, "=") {
		return nil, fmt.Errorf("a time zone cannot be given")
	}
	return cron.NewParser(cronFields).Parse(text)
}
