{{- define "deltaml.name" -}}
{{ printf "%s-%s" .Release.Name .Values.daemon | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "deltaml.selector" -}}
app.kubernetes.io/name: deltaml
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ .Values.daemon }}
{{- end }}

{{- define "deltaml.labels" -}}
{{ include "deltaml.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "deltaml.image" -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}

{{/* What the daemon reads; .Values.config goes before the places that the chart knows. */}}
{{- define "deltaml.config" -}}
{{- $known := dict
      "daemon" .Values.daemon
      "broker" (dict "password_file" "/run/deltaml/broker-password")
      "metrics_port" .Values.metrics.port
      "metrics_host" "0.0.0.0"
      "store" "/data/state.sqlite" }}
{{- if ne .Values.daemon "chain-listener" }}
{{- $_ := set $known "keystore" "/data/keys" }}
{{- $_ := set $known "passphrase_file" "/run/deltaml/passphrase" }}
{{- end }}
{{- if eq .Values.daemon "data-owner" }}
{{- $_ := set $known "catalogue" "/data/datasets" }}
{{- end }}
{{- if .Values.egress.database.enabled }}
{{- $_ := set $known "store_password_file" "/run/deltaml/store-password" }}
{{- end }}
{{- if .Values.console.enabled }}
{{- $_ := set $known "console" (dict
      "host" "0.0.0.0"
      "port" .Values.console.port
      "users_file" "/data/console-users.json"
      "public_url" (printf "https://%s" .Values.console.host)) }}
{{- end }}
{{- toYaml (mergeOverwrite $known (deepCopy .Values.config)) }}
{{- end }}

{{- define "deltaml.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
