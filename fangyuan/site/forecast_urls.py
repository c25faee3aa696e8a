"""Addresses of the forecast and of the process; they come before the desk's."""

from __future__ import annotations

from django.urls import path

from fangyuan.site import forecast, forecast_adjust, forecast_sheet, pace

urlpatterns = [
    path("forecast", forecast.page, name="forecast"),
    path("forecast/accuracy", forecast.accuracy, name="forecast_accuracy"),
    path("forecast/week", forecast_sheet.week, name="forecast_week"),
    path("forecast/month", forecast_sheet.month, name="forecast_month"),
    path("forecast/adjust", forecast_adjust.adjust, name="forecast_adjust"),
    path("forecast/sheet/<int:number>", forecast_sheet.one, name="forecast_sheet"),
    path("process", pace.process, name="process"),
]
