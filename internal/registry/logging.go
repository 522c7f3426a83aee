package registry

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"github.com/sirupsen/logrus"
)

var redirectOnce sync.Once

// redirectLogrus turns the output of logrus, which distribution writes to and
// which has one logger for the whole process, into records of the first
// registry's logger. What this process does is told by the gate; distribution
// logs the same once more and every missing blob as an error, hence at debug.
func redirectLogrus(log *slog.Logger) {
	redirectOnce.Do(func() {
		standard := logrus.StandardLogger()
		standard.SetOutput(io.Discard)
		standard.SetLevel(logrus.WarnLevel)
		standard.AddHook(&slogHook{log: log})
	})
}

// slogHook passes what logrus would print to slog.
type slogHook struct{ log *slog.Logger }

func (h *slogHook) Levels() []logrus.Level {
	return []logrus.Level{logrus.PanicLevel, logrus.FatalLevel, logrus.ErrorLevel, logrus.WarnLevel}
}

func (h *slogHook) Fire(entry *logrus.Entry) error {
	attributes := make([]slog.Attr, 0, len(entry.Data))
	for key, value := range entry.Data {
		attributes = append(attributes, slog.Any(key, value))
	}
	h.log.LogAttrs(context.Background(), slogLevel(entry), entry.Message, attributes...)
	return nil
}

func slogLevel(entry *logrus.Entry) slog.Level {
	const markOfDistribution = "go.version"
	if _, found := entry.Data[markOfDistribution]; found {
		return slog.LevelDebug
	}
	if entry.Level == logrus.WarnLevel {
		return slog.LevelWarn
	}
	return slog.LevelError
}
