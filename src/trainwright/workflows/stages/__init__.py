"""The stages that a pipeline can be made of: functions that write what they make into a folder."""
